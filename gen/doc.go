// Package gen has the types and the client that oapi-codegen generates from openapi.yaml: a type for
// each schema, and a method for each operation. [PathID] and [StringOrNumber] are written by hand,
// for the contract's ids and for members that are strings or numbers.
//
// Package api makes the client safe to use: it adds credentials, the rate limit, bounds and typed
// errors. Used alone, the client sends each request once, with no header but those that its
// arguments set.
package gen
