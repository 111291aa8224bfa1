//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// smallDisk is the command where no file can grow beyond 64 KiB, as on a disk that is full.
func smallDisk() {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	main()
}
