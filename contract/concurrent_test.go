package contract_test

import (
	"net/http"
	"reflect"
	"sync"
	"testing"
)

func TestValidatorIsSafeForConcurrentUseAndNeverVaries(t *testing.T) {
	v := newValidator(t)
	broken := `{"queue":{"media":[{"id":"","type":"x","files":{"full":{"url":1,"size":""},"thumb":{"url":null}}},{"id":[]}],"price":{},"text":1,"id":1.5}}`
	want := v.CheckResponse(nil, newResponse(http.StatusOK, broken))
	if len(want) != 10 {
		t.Fatalf("%d violations, want 10: %v", len(want), want)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if got := v.CheckResponse(nil, newResponse(http.StatusOK, broken)); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				wantPointers(t, v.CheckRequest(newRequest(t, documentedRequest)))
			}
		})
	}
	wg.Wait()
}
