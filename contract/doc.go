// Package contract judges real HTTP exchanges by openapi.yaml, the contract of this module.
//
// In a test, one line fails it with a readable list of every departure:
//
//	contract.Check(t, req, resp)
//
// Around live traffic, [Transport] watches any http.Client and [Handler] any server; both
// report and change nothing. [ReadCapture] reads what `curl -i` printed. [Validator] is what
// they all ask, for programs that want the [Violation] values themselves.
//
// # What is judged
//
// Of a request: its method, its path and the ids in it, both credential headers, the media
// type, and the body. Of a response: its status, its headers, the media type, and the body.
// All violations are found, not the first one: one for each place, always in the same order.
//
// A status that the contract does not list by its number is a violation, although the
// contract has a default response; the body of such an answer is still judged by the default.
// Members that the contract does not know are allowed everywhere and not looked into. The
// host is not judged, so that tests can use loopback.
//
// Stricter than a JSON library: a body is UTF-8, one JSON value and nothing behind it, nested
// at most 10,000 levels deep; a member that the contract knows stands only once in its
// object; an integer has no fraction and no exponent, and fits 64 bits where the contract
// says so.
//
// # What is never printed
//
// A violation says what kind of value was found and how long it is, and prints numbers, true
// and false. It never holds a string that came over the wire: no credential, no message text.
//
// # Limits
//
// Of each body at most 8 MiB are read into memory; a longer one is a violation, and so is one
// of more than 100,000 JSON values, where some hundred are usual. What was read is put back,
// so that the next reader sees the body as it came.
package contract
