package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		started := time.Now()
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		const want = `conn_ann 6432457811894 unsent
conn_ann 6432457811895 unsent
conn_bob 64324578118950 unsent
conn_ann 6432457811896 unsent
conn_bob 64324578118960 unsent
`
		if out.String() != want {
			t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
		}
		if took := time.Since(started); took < time.Second || took > 2*time.Second {
			t.Errorf("took %v, want the second that bob's plan asks for", took)
		}
	})
}
