package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/internal/ids"
	"github.com/unsend-go/unsend/mock"
	"github.com/unsend-go/unsend/mock/docs"
)

const envMockToken = "UNSEND_MOCK_TOKEN" //nolint:gosec // the name of a variable

type mockOptions struct {
	addr        string
	media       int
	rate, burst int
	noRateLimit bool
	quiet       bool
	faultRate   float64
	seed        uint64
	control     bool
	listFaults  bool
	connections []string // their ids
	next, drawn []mock.Fault
	parsed      []mock.Option // of --connection, --message and --cors
}

func newMock() *cobra.Command {
	var opts mockOptions
	cmd := &cobra.Command{
		Use:   "mock",
		Short: "Run a mock of the service",
		Long: `Run a mock of the OFAuth Access API that honors the contract. It keeps everything
in memory; every message exists and can be unsent once. It prints its address,
the credentials that it accepts and a request to try, and runs until Ctrl-C.
At /docs/ it serves the API reference, where requests can be tried in a browser.
Each request is a line on standard error: its method and path, the status and
error type of the response, the fault applied, and how long it took.

A fault is a status, a kind (see --list-faults), or both, and then its settings:
  503    503,acted    drop    drop,acted    delay=2s    slow,delay=10ms
  429,retry-after=5    401,type=RULES_OUTDATED    html,502
  set=queue.price=0    503,set=actionRequired="wait"    set=queue=

acted means that the message is unsent although the response does not report it.
set=PATH=JSON sets a member of the body, and deletes it if JSON is empty; it is
always the last part.

With --control, test suites in any language script and read the mock by HTTP, at
/_mock/: its faults, requests, messages and connections, as docs/client/mock.md
lists them. It serves programs of this machine, and web pages of the origins of
--cors. If $UNSEND_MOCK_TOKEN is set, it accepts clients that send it as
Authorization: Bearer.`,
		Example: `  unsend mock
  unsend mock --addr 127.0.0.1:0                # a free port

  # The next responses: a 503, one lost after the message was unsent, then as usual
  unsend mock --fault 503 --fault drop,acted

  # One response in ten goes wrong, the same ones each time
  unsend mock --fault-rate 0.1 --seed 7

  # Two creators, one of whom has to connect again
  unsend mock --connection conn_a --connection conn_b:expired

  # For a test suite, and a page of a development server
  unsend mock --control --cors http://localhost:5173`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return opts.run(cmd) },
	}
	opts.register(cmd.Flags())
	return cmd
}

func (o *mockOptions) register(flags *pflag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4010", "`address` to listen on; port 0 picks a free one")
	flags.Func("connection", "`id` of a connection instead of "+mock.DemoConnection+
		", with :expired, :rules_outdated or :read_only for its state (repeatable)", o.addConnection)
	flags.IntVar(&o.media, "media", 1, "media in the snapshot of a message")
	flags.IntVar(&o.rate, "rate", 60, "requests a minute that each connection may send")
	flags.IntVar(&o.burst, "burst", 90, "requests at once that each connection may send")
	flags.BoolVar(&o.noRateLimit, "no-rate-limit", false, "let every request through")
	flags.BoolVar(&o.quiet, "quiet", false, "do not log requests to standard error")
	flags.Func("fault", "`fault` of the next response; repeated, of the ones after it", parseInto(&o.next, mock.ParseFault))
	flags.Float64Var(&o.faultRate, "fault-rate", 0, "share of responses that go wrong, 0 to 1")
	flags.Func("fault-of", "`fault` to draw from at that rate (repeatable; default: all but the oversized)", parseInto(&o.drawn, mock.ParseFault))
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the draw")
	flags.BoolVar(&o.control, "control", false, "let programs script faults and read requests at "+mock.ControlPrefix)
	flags.Func("cors", "`origin` of web pages that may call it, such as http://localhost:5173, or * (repeatable)", parseInto(&o.parsed, parseOrigin))
	flags.Func("message", "`user/message` that exists, instead of every id (repeatable)", parseInto(&o.parsed, parseMessage))
	flags.BoolVar(&o.listFaults, "list-faults", false, "print the kinds of fault and exit")
}

// parseInto makes the function of a repeatable flag.
func parseInto[T any](list *[]T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		value, err := parse(text)
		*list = append(*list, value)
		return err
	}
}

func (o *mockOptions) addConnection(text string) error {
	c, err := mock.ParseConnection(text)
	o.connections = append(o.connections, c.ID)
	o.parsed = append(o.parsed, mock.WithConnections(c))
	return err
}

func parseMessage(text string) (mock.Option, error) {
	userID, messageID, _ := strings.Cut(text, "/")
	if ids.Check(userID) != nil || ids.Check(messageID) != nil {
		return nil, errors.New("give a user id and a message id, such as 51234567/6432457811894")
	}
	return mock.WithMessages(mock.Message{UserID: userID, MessageID: messageID}), nil
}

func parseOrigin(text string) (mock.Option, error) {
	if text != "*" && http.NewCrossOriginProtection().AddTrustedOrigin(text) != nil {
		return nil, errors.New("give an origin such as http://localhost:5173, or *")
	}
	return mock.WithCORS(text), nil
}

func (o *mockOptions) run(cmd *cobra.Command) error {
	if o.listFaults {
		for _, kind := range mock.FaultKinds() {
			line(cmd.OutOrStdout(), "%-14s %s", kind, kind.About())
		}
		line(cmd.OutOrStdout(), "%-14s %s", "set=PATH=JSON", "a member of the body is set, such as queue.price=0; the last part")
		return nil
	}
	server, err := o.server(cmd)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	url, err := server.StartAddr(o.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use, by another mock perhaps: stop that, or choose another --addr", o.addr)
	}
	if err != nil {
		return err
	}
	o.printBanner(cmd.OutOrStdout(), url)
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return failed(err)
	}
	seen := server.Counts()
	line(cmd.OutOrStdout(), "stopped: %s, %s unsent", count(seen.Requests, "request"), count(seen.Unsent, "message"))
	return nil
}

// server makes the mock that the flags describe.
func (o *mockOptions) server(cmd *cobra.Command) (*mock.Server, error) {
	flags := cmd.Flags()
	if err := cmp.Or(contradict(flags, "no-rate-limit", "rate", "burst"), checkFaultRate(o.faultRate)); err != nil {
		return nil, err
	}
	switch {
	case o.media < 0:
		return nil, errors.New("--media must not be negative")
	case o.rate < 1 || o.burst < 1:
		return nil, errors.New("--rate and --burst must be at least 1; use --no-rate-limit for none")
	case o.faultRate == 0 && (flags.Changed("fault-of") || flags.Changed("seed")):
		return nil, errors.New("--fault-of and --seed do nothing without --fault-rate; give it, 0.1 say")
	}
	opts := append([]mock.Option{
		mock.WithRateLimit(o.rate, o.burst),
		mock.WithMedia(o.media),
		mock.WithFaults(o.seed, o.faultRate, o.drawn...),
		mock.WithHandler(docs.Prefix, docs.Handler(mock.DemoKey, o.connection())),
	}, o.parsed...)
	if o.control {
		opts = append(opts, mock.WithControl(os.Getenv(envMockToken)))
	}
	if o.noRateLimit {
		opts = append(opts, mock.WithoutRateLimit())
	}
	if !o.quiet {
		opts = append(opts, mock.WithLog(logTo(cmd.ErrOrStderr())))
	}
	server := mock.New(opts...)
	server.Next(o.next...)
	return server, nil
}

// logTo writes a line for each request. It holds no key and nothing of a body.
func logTo(w io.Writer) func(mock.Entry, time.Duration) {
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
		line(w, "%s %dms", text, took.Milliseconds())
	}
}

// connection returns the id of the first one.
func (o *mockOptions) connection() string {
	return append(o.connections, mock.DemoConnection)[0]
}

// printBanner prints what is needed to use the mock, above all a request that works when pasted.
func (o *mockOptions) printBanner(w io.Writer, url string) {
	control := ""
	if o.control {
		control = "\n  to script      " + url + mock.ControlPrefix
	}
	_, _ = fmt.Fprintf(w, `A mock of the OFAuth Access API listens on %[1]s

  API key        %[2]s
  connection id  %[5]s
  to read, try   %[1]s/docs/%[4]s

Unsend a message:

  curl --request DELETE --url %[1]s/v2/access/chats/51234567/messages/6432457811894 --header 'Content-Type: application/json' --header 'apiKey: %[2]s' --header 'x-connection-id: %[3]s' --data '{"withUserId":"51234567"}'

Stop with Ctrl-C.
`, url, mock.DemoKey, o.connection(), control, cmp.Or(strings.Join(o.connections, ", "), o.connection()))
}
