package api

import "github.com/unsend-go/unsend/gen"

// QueueByParts decodes a body as Queue does where it cannot decode it at once.
func QueueByParts(raw []byte) (*gen.Queue, error) { return decodeByParts(raw, nil) }

// MaxDecoded is roughly what a body may take in memory.
const MaxDecoded = maxDecoded
