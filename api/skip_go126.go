//go:build goexperiment.jsonv2 && !go1.27

package api

import "encoding/json/v2"

// errSkip makes a decoder decode a value as ever: the package that GOEXPERIMENT=jsonv2 puts in the
// place of the module compares it by identity in Go 1.26.
var errSkip = json.SkipFunc
