package api_test

import (
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestSuccessAndItsRepetition has bodies that say success more than once at the top level: where
// they contradict themselves, they say nothing.
func TestSuccessAndItsRepetition(t *testing.T) {
	for name, c := range map[string]struct {
		body        string
		success, ok bool
	}{
		"once":                         {body: `{"success":true,"queue":null}`, success: true, ok: true},
		"false":                        {body: `{"queue":{},"success":false}`, success: false, ok: true},
		"twice true":                   {body: `{"success":true,"success":true}`, success: true, ok: true},
		"twice false":                  {body: `{"success":false,"x":1,"success":false}`, success: false, ok: true},
		"true, then false":             {body: `{"success":true,"success":false}`},
		"false, then true":             {body: `{"success":false,"success":true}`},
		"far apart":                    {body: `{"success":true,"queue":{"id":1,"media":[{"id":2}]},"success":false}`},
		"behind the snapshot, both":    {body: `{"queue":{"id":1},"success":false,"more":[],"success":true}`},
		"one of them escaped":          {body: `{"success":true,"\u0073uccess":false}`},
		"true, then a string":          {body: `{"success":true,"success":"false"}`},
		"true, then null":              {body: `{"success":true,"success":null}`},
		"null, then true":              {body: `{"success":null,"success":true}`},
		"true, then cut in the second": {body: `{"success":true,"success":fal`},
		"true, then cut at the second": {body: `{"success":true,"success"`},
		"the other one further down":   {body: `{"success":true,"queue":{"success":false}}`, success: true, ok: true},
		"the other one in a text":      {body: `{"success":true,"queue":{"text":"\"success\":false"}}`, success: true, ok: true},
		"of another case":              {body: `{"success":true,"Success":false}`, success: true, ok: true},
		"behind the end":               {body: `{"success":true}{"success":false}`, success: true, ok: true},
		"behind what is no JSON":       {body: `{"success":true,<<<,"success":false}`, success: true, ok: true},
		"a long way behind":            {body: `{"success":true,"text":"` + strings.Repeat("x", 1<<20) + `","success":false}`},
		"a list":                       {body: `[{"success":true}]`},
		"below only":                   {body: `{"queue":{"success":true}}`},
		"a number behind true":         {body: `{"success":true1}`},
	} {
		t.Run(name, func(t *testing.T) {
			success, ok := api.ReadSuccess([]byte(c.body))
			if success != c.success || ok != c.ok {
				t.Errorf("success is %t, %t; want %t, %t", success, ok, c.success, c.ok)
			}
		})
	}
}
