//go:build ignore

// Copies a file, as go generate does on any system: go run copy.go FROM TO.
package main

import (
	"log"
	"os"
)

func main() {
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], content, 0o644); err != nil {
		log.Fatal(err)
	}
}
