package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// jsonItem is an item as a line of JSON.
type jsonItem struct {
	User       jsonID `json:"user_id"`
	Message    jsonID `json:"message_id"`
	Connection jsonID `json:"connection_id"`
	With       jsonID `json:"with_user_id"`
}

// jsonID is a string, or a whole number, of which every digit counts.
type jsonID string

var errJSONID = errors.New("an id is a JSON string or a whole number")

// UnmarshalJSON reads an id. Null is as good as none.
func (id *jsonID) UnmarshalJSON(raw []byte) error {
	switch {
	case raw[0] == '"':
		return json.Unmarshal(raw, (*string)(id))
	case string(raw) == "null":
		return nil
	case strings.Trim(string(raw), "0123456789") != "":
		return errJSONID
	}
	*id = jsonID(raw)
	return nil
}

// jsonRow reads the next line that is not blank.
func jsonRow(src *lines) (Item, int, error) {
	for {
		l, err := src.next()
		if err != nil {
			return Item{}, l.number, fault(err)
		}
		if len(bytes.TrimSpace(l.text)) == 0 {
			continue
		}
		var row jsonItem
		if err := json.Unmarshal(l.text, &row); err != nil {
			return Item{}, l.number, jsonFault(err)
		}
		return Item{
			UserID: string(row.User), MessageID: string(row.Message),
			ConnectionID: string(row.Connection), WithUserID: string(row.With),
		}, l.number, nil
	}
}

// jsonFault says what is wrong without what the line holds.
func jsonFault(err error) error {
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errJSONID):
		return errJSONID
	case errors.As(err, &mismatch):
		return fmt.Errorf("the line is a JSON %s; want an object", mismatch.Value)
	}
	return fmt.Errorf("the line is not JSON: %w", err)
}
