//go:build !linux

package batch

// onNetwork is not known here.
func onNetwork(string) bool { return false }
