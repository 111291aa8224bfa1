// Command unsend takes back chat messages through the OFAuth Access API, one or many; runs a
// mock of the service; and checks answers against the contract. `unsend --help` says how.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
