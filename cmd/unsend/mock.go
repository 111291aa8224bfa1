package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/internal/ids"
	"github.com/unsend-go/unsend/mock"
	"github.com/unsend-go/unsend/mock/docs"
)

type mockOptions struct {
	addr        string
	connections []string
	media       int
	rate, burst int
	noRateLimit bool
	quiet       bool
	faults      mockFaults
}

func newMock() *cobra.Command {
	var opts mockOptions
	cmd := &cobra.Command{
		Use:   "mock",
		Short: "Run a mock of the service",
		Long: `Run a mock of the OFAuth Access API that honours the contract. It keeps everything
in memory; every message exists and can be unsent once. It prints its address,
the credentials that it accepts and a request to try, and runs until Ctrl-C.
At /docs/ it serves the API reference, where requests can be tried in a browser.
Each request is a line on standard error: its method and path, the status and
error type it was answered with, the fault it met, and how long it took.

A fault is a status, a kind (see --list-faults), or both, and what else is asked of it:
  503    503,acted    drop    drop,acted    delay=2s    slow,delay=10ms
  429,retry-after=5    429,retry-date=5s    401,type=RULES_OUTDATED
  422,shape=earlier    301,location=https://other.example/    html,502

acted means that the message is unsent although the answer does not say so.`,
		Example: `  unsend mock
  unsend mock --addr 127.0.0.1:0                # a free port

  # The next answers: a 503, a reply lost after the message was unsent, then as usual
  unsend mock --fault 503 --fault drop,acted

  # One answer in ten goes wrong, the same ones each time
  unsend mock --fault-rate 0.1 --seed 7

  # Two creators, one of whom has to connect again
  unsend mock --connection conn_a --connection conn_b:expired`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return opts.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:4010", "`address` to listen on; port 0 picks a free one")
	flags.StringArrayVar(&opts.connections, "connection", nil, "`id` of a connection to know instead of "+mock.DemoConnection+"; :expired, :rules_outdated or :read_only behind it is how it answers (repeatable)")
	flags.IntVar(&opts.media, "media", 1, "media in the snapshot of a message")
	flags.IntVar(&opts.rate, "rate", 60, "requests a minute that each connection may send")
	flags.IntVar(&opts.burst, "burst", 90, "requests at once that each connection may send")
	flags.BoolVar(&opts.noRateLimit, "no-rate-limit", false, "let every request through")
	flags.BoolVar(&opts.quiet, "quiet", false, "do not log requests to standard error")
	opts.faults.register(flags)
	_ = cmd.RegisterFlagCompletionFunc("fault", completeFault) // of flags that are there, registered once
	_ = cmd.RegisterFlagCompletionFunc("fault-of", completeFault)
	return cmd
}

func (o *mockOptions) run(cmd *cobra.Command) error {
	if o.faults.list {
		listFaults(cmd.OutOrStdout())
		return nil
	}
	server, err := o.server(cmd)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	url, err := server.StartAddr(o.addr)
	if err != nil {
		return err
	}
	o.greet(cmd.OutOrStdout(), url)
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return failed(err)
	}
	seen := server.Counts()
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "stopped: %s, %s unsent\n", count(seen.Requests, "request"), count(seen.Unsent, "message"))
	return nil
}

// server makes the mock that the flags describe.
func (o *mockOptions) server(cmd *cobra.Command) (*mock.Server, error) {
	opts, next, err := o.faults.options(cmd.Flags())
	if err != nil {
		return nil, err
	}
	known, err := o.known()
	if err != nil {
		return nil, err
	}
	if err := contradict(cmd.Flags(), "no-rate-limit", "rate", "burst"); err != nil {
		return nil, err
	}
	switch {
	case o.media < 0:
		return nil, errors.New("--media must not be negative")
	case o.rate < 1 || o.burst < 1:
		return nil, errors.New("--rate and --burst must be at least 1; use --no-rate-limit for none")
	}
	limit := mock.WithRateLimit(o.rate, o.burst)
	if o.noRateLimit {
		limit = mock.WithoutRateLimit()
	}
	if !o.quiet {
		opts = append(opts, mock.WithLog(logTo(cmd.ErrOrStderr())))
	}
	page := docs.Handler(mock.DemoKey, o.connection())
	server := mock.New(append(opts, limit,
		mock.WithMedia(o.media),
		mock.WithConnections(known...),
		mock.WithHandler(docs.Prefix, page),
	)...)
	server.Next(next...)
	return server, nil
}

// logTo writes a line for each request. It holds no key and nothing of a body.
func logTo(w io.Writer) func(mock.Entry, time.Duration) {
	var mu sync.Mutex // a line is written whole
	return func(e mock.Entry, took time.Duration) {
		text := fmt.Sprintf("%s %.160s", e.Method, e.Path) // the longest path that the contract allows fits
		if e.Status == 0 {
			text += " unanswered"
		} else {
			text += " " + strconv.Itoa(e.Status)
		}
		if e.Type != "" {
			text += " " + e.Type
		}
		if e.Fault != "" {
			text += " fault=" + e.Fault
		}
		mu.Lock()
		defer mu.Unlock()
		line(w, "%s %dms", text, took.Milliseconds())
	}
}

// known are the connections of --connection.
func (o *mockOptions) known() (list []mock.Connection, err error) {
	for _, text := range o.connections {
		id, state, stated := strings.Cut(text, ":")
		c := mock.Connection{ID: id}
		switch {
		case id == "":
			return nil, fmt.Errorf("--connection %q has no id", text)
		case ids.Check(id) != nil: // which no client could send, and the printed request not quote
			return nil, fmt.Errorf("--connection: the id %w", ids.Check(id))
		case !stated:
		case state == string(mock.Expired), state == string(mock.RulesOutdated):
			c.State = mock.State(state)
		case state == "read_only":
			c.ReadOnly = true
		default:
			return nil, fmt.Errorf("--connection %q: no state %q; use expired, rules_outdated or read_only", text, state)
		}
		list = append(list, c)
	}
	return list, nil
}

// connection is the one that the user is shown.
func (o *mockOptions) connection() string {
	if len(o.connections) == 0 {
		return mock.DemoConnection
	}
	id, _, _ := strings.Cut(o.connections[0], ":")
	return id
}

// greet prints what one needs to use the mock, above all a request that works when pasted.
func (o *mockOptions) greet(w io.Writer, url string) {
	_, _ = fmt.Fprintf(w, `A mock of the OFAuth Access API listens on %s

  API key        %s
  connection id  %s
  to read, try   %[1]s/docs/

Take back a message:

  curl --request DELETE --url %[1]s/v2/access/chats/51234567/messages/6432457811894 --header 'Content-Type: application/json' --header 'apiKey: %[2]s' --header 'x-connection-id: %[3]s' --data '{"withUserId":"51234567"}'

Stop with Ctrl-C.
`, url, mock.DemoKey, o.connection())
}
