//go:build !linux

package sqlite_test

import "errors"

func failingDiskSelf([]string) error { return errors.ErrUnsupported }
func oneByOneSelf([]string) error    { return errors.ErrUnsupported }
func reorderSelf([]string) error     { return errors.ErrUnsupported }
