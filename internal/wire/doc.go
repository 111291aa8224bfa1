// Package wire is what the client needs of net/http beyond its own: requests that stay with
// one host, how far an attempt came before it failed, and bodies read within a limit.
package wire
