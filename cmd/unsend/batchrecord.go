package main

import (
	"errors"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// batchRecord is the outcome of one row for machines.
type batchRecord struct {
	record

	ConnectionID string `json:"connection_id"`
	Line         int    `json:"line"`
	Final        bool   `json:"final"`     // resuming does not send it again
	Earlier      bool   `json:"earlier"`   // ended in the run that this one resumes
	Duplicate    bool   `json:"duplicate"` // repeats an earlier row
}

func newBatchRecord(result batch.Result, key string) batchRecord {
	r := batchRecord{
		record: record{
			UserID:      result.Item.UserID,
			MessageID:   result.Item.MessageID,
			Outcome:     string(result.Outcome),
			RequestID:   result.RequestID,
			Attempts:    result.Attempts,
			MaybeUnsent: result.MaybeUnsent,
		},
		ConnectionID: result.Item.ConnectionID,
		Line:         result.Item.Line,
		Final:        result.Final,
		Earlier:      result.Earlier,
		Duplicate:    result.Duplicate,
	}
	var body []byte
	if result.Response != nil {
		body = result.Response.Raw
	}
	if result.Err != nil {
		r.Error = newErrorRecord(result.Err)
		if answer, ok := errors.AsType[*api.Error](result.Err); ok && result.Outcome == batch.Failed {
			body = answer.Body()
		}
	}
	r.Response = asJSON(body, key)
	return r
}
