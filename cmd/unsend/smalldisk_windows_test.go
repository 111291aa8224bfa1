package main

// smallDisk has no counterpart there.
func smallDisk() { panic("no limit for files on Windows") }
