//go:build !goexperiment.jsonv2 || go1.27

package api

import "errors"

// errSkip makes a decoder decode a value as ever.
var errSkip = errors.ErrUnsupported
