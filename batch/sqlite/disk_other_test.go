//go:build !linux

package sqlite_test

import "errors"

func reorderSelf([]string) error { return errors.ErrUnsupported }
