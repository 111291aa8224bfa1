// Command call unsends a message on the server at a URL, by the client and past the validator
// of this module, once for each preference named:
//
//	call http://127.0.0.1:4010 "" code=404
//
// A preference becomes the header Prefer, by which Prism is told what to answer. Each call
// prints what came of it as a line of JSON. tools/serve.test.mjs runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
)

// report is what came of a call.
type report struct {
	Prefer     string   `json:"prefer"`
	Outcome    string   `json:"outcome,omitempty"`    // of a call that succeeded
	QueueID    int64    `json:"queueId,omitempty"`    // of the message it answered with
	Status     int      `json:"status,omitempty"`     // of a call that failed
	Kind       string   `json:"kind,omitempty"`       // the sentinel that its error is
	Error      string   `json:"error,omitempty"`      // of the call, or of reading its snapshot
	Violations []string `json:"violations,omitempty"` // of the contract, by either side
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: call URL PREFER...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(url string, preferences []string) error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	out := json.NewEncoder(os.Stdout)
	for _, prefer := range preferences {
		r, err := call(ctx, url, prefer)
		if err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// call unsends a message on the server at url, which is to answer as prefer says.
func call(ctx context.Context, url, prefer string) (report, error) {
	r := report{Prefer: prefer}
	watched := contract.Transport(preference(prefer), func(found []contract.Violation) {
		for _, v := range found {
			r.Violations = append(r.Violations, v.String())
		}
	})
	client, err := api.New("sk_sandbox_demo",
		api.WithConnection("conn_demo"),
		api.WithBaseURL(url),
		api.WithHTTPClient(&http.Client{Transport: watched}),
		api.WithRetries(0),
		api.WithoutRateLimit())
	if err != nil {
		return r, err
	}

	result, err := client.Unsend(ctx, "51234567", "6432457811894")
	if err != nil {
		r.Kind, r.Error = kind(err), err.Error()
		if failure, ok := errors.AsType[*api.Error](err); ok {
			r.Status = failure.StatusCode
		}
		return r, nil
	}
	r.Outcome = result.Outcome.String()
	queue, err := result.Queue()
	if err != nil {
		r.Error = err.Error()
	}
	if queue != nil {
		r.QueueID = queue.ID
	}
	return r, nil
}

// kind names the sentinel that err is.
func kind(err error) string {
	for _, sentinel := range []error{
		api.ErrBadRequest, api.ErrSessionExpired, api.ErrUnauthorized, api.ErrForbidden,
		api.ErrNotFound, api.ErrRateLimited, api.ErrServer, api.ErrRefused, api.ErrUnexpectedResponse,
	} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	return ""
}

// preference is a transport that sends the header Prefer.
type preference string

// RoundTrip implements http.RoundTripper.
func (p preference) RoundTrip(req *http.Request) (*http.Response, error) {
	if p != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Prefer", string(p))
	}
	return http.DefaultTransport.RoundTrip(req)
}
