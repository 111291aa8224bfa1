package mock

import (
	"encoding/json"
	"strings"
)

// claimOf reads what a body says about the message, as far as any reader could: the body may
// break off. Two values of "success" that differ say nothing.
func claimOf(body string) claim {
	dec := json.NewDecoder(strings.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return claimsNothing
	}
	said := claimsNothing
	for {
		name, err := dec.Token()
		if err != nil || name == json.Delim('}') {
			return said
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return said
		}
		if name != "success" {
			continue
		}
		now := claimsNothing
		switch string(value) {
		case "true":
			now = claimsSuccess
		case "false":
			now = claimsRefusal
		}
		if said != claimsNothing && now != said {
			return claimsNothing
		}
		said = now
	}
}
