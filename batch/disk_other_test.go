//go:build !linux

package batch_test

import "errors"

func failingDiskSelf([]string) error { return errors.ErrUnsupported }
func oneByOneSelf([]string) error    { return errors.ErrUnsupported }
