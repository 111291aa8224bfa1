package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// clientFlags are what every command that sends can be told about the client.
type clientFlags struct {
	set *pflag.FlagSet

	mock        bool
	connection  string
	keyFile     string
	baseURL     string
	plainHTTP   bool
	timeout     time.Duration
	retries     int
	rate, burst int
	noRateLimit bool
	verbose     bool
}

func (f *clientFlags) register(set *pflag.FlagSet) {
	f.set = set
	set.BoolVar(&f.mock, "mock", false, "talk to a mock in this process: no account, no network")
	set.StringVar(&f.connection, "connection", "", "creator's connection `id` (default $"+envConnection+")")
	set.StringVar(&f.keyFile, "api-key-file", "", "`file` that holds the API key (default: the key in $"+envKey+")")
	set.StringVar(&f.baseURL, "base-url", "", "`url` of the service (default $"+envBaseURL+", or "+api.DefaultBaseURL+")")
	set.BoolVar(&f.plainHTTP, "plain-http", false, "allow http to a host that is not loopback: the key then crosses the network unencrypted")
	set.DurationVar(&f.timeout, "timeout", 30*time.Second, "time for one attempt, up to 1h")
	set.IntVar(&f.retries, "retries", 2, "how often to try again after a passing fault, up to 20")
	set.IntVar(&f.rate, "rate", 60, "requests a minute on each connection, as your plan allows")
	set.IntVar(&f.burst, "burst", 90, "requests at once on each connection, as your plan allows")
	set.BoolVar(&f.noRateLimit, "no-rate-limit", false, "send without pacing, for plans without a limit")
	set.BoolVar(&f.verbose, "verbose", false, "log every attempt to standard error")
}

// sender is a client with what must be known around it.
type sender struct {
	*api.Client

	key  string       // to keep out of whatever is printed
	mock *mock.Server // nil but with --mock
}

// client makes the client that the flags and the environment describe. The connections, those
// of a batch's rows, are made known to the mock. log is where --verbose writes.
func (f *clientFlags) client(log io.Writer, connections ...string) (*sender, error) {
	if err := f.contradiction(); err != nil {
		return nil, err
	}
	var s sender
	var err error
	opts := f.options(log)
	switch {
	case f.mock:
		s.key, s.mock = mock.DemoKey, f.newMock(connections)
		base := []api.Option{api.WithConnection(mock.DemoConnection), api.WithHTTPClient(s.mock.Client())}
		s.Client, err = api.New(s.key, append(base, opts...)...)
	case f.set.Changed("api-key-file"):
		if s.key, err = readKeyFile(f.keyFile); err == nil {
			s.Client, err = api.New(s.key, append(optionsFromEnv(), opts...)...)
		}
	default:
		s.key = os.Getenv(envKey)
		s.Client, err = api.FromEnv(opts...)
	}
	if err != nil {
		return nil, asFlags(err)
	}
	return &s, nil
}

// check refuses what [clientFlags.client] would refuse, but for credentials that are missing.
func (f *clientFlags) check() error {
	if err := f.contradiction(); err != nil {
		return err
	}
	_, err := api.New(mock.DemoKey, append(optionsFromEnv(), f.options(io.Discard)...)...)
	return asFlags(err)
}

// defaultConnection is the one that acts where nothing else is named, if there is one.
func (f *clientFlags) defaultConnection() string {
	switch {
	case f.set.Changed("connection"):
		return f.connection
	case f.mock:
		return mock.DemoConnection
	}
	return os.Getenv(envConnection)
}

// perMinute is the rate on each connection, 0 where there is no limit.
func (f *clientFlags) perMinute() int {
	if f.noRateLimit {
		return 0
	}
	return f.rate
}

// optionsFromEnv are what [api.FromEnv] reads beside the key.
func optionsFromEnv() (opts []api.Option) {
	if id := os.Getenv(envConnection); id != "" {
		opts = append(opts, api.WithConnection(id))
	}
	if url := os.Getenv(envBaseURL); url != "" {
		opts = append(opts, api.WithBaseURL(url))
	}
	return opts
}

// options are those that the flags alone decide.
func (f *clientFlags) options(log io.Writer) []api.Option {
	opts := []api.Option{api.WithTimeout(f.timeout), api.WithRetries(f.retries)}
	if f.noRateLimit {
		opts = append(opts, api.WithoutRateLimit())
	} else {
		opts = append(opts, api.WithRateLimit(f.rate, f.burst))
	}
	if f.plainHTTP {
		opts = append(opts, api.WithPlainHTTP())
	}
	if f.set.Changed("connection") {
		opts = append(opts, api.WithConnection(f.connection))
	}
	if f.set.Changed("base-url") {
		opts = append(opts, api.WithBaseURL(f.baseURL))
	}
	if f.verbose {
		level := &slog.HandlerOptions{Level: slog.LevelDebug}
		opts = append(opts, api.WithLogger(slog.New(slog.NewTextHandler(log, level))))
	}
	return opts
}

func (f *clientFlags) contradiction() error {
	if f.noRateLimit && (f.set.Changed("rate") || f.set.Changed("burst")) {
		return errContradiction
	}
	for _, name := range []string{"api-key-file", "base-url", "plain-http"} {
		if f.mock && f.set.Changed(name) {
			return errors.New("--mock runs in this process with a key of its own; leave --" + name + " out")
		}
	}
	return nil
}

// newMock is a service that knows every connection that will be named, and limits them as the
// client expects.
func (f *clientFlags) newMock(connections []string) *mock.Server {
	known := []mock.Connection{{ID: mock.DemoConnection}}
	if f.connection != "" {
		connections = append(connections, f.connection)
	}
	for _, id := range connections {
		known = append(known, mock.Connection{ID: id})
	}
	limit := mock.WithRateLimit(f.rate, f.burst)
	if f.noRateLimit {
		limit = mock.WithoutRateLimit()
	}
	return mock.New(mock.WithConnections(known...), limit)
}

// asFlags says an error of the client's configuration in words of the command line.
func asFlags(err error) error {
	if err == nil {
		return nil
	}
	text := strings.NewReplacer(
		"WithoutRateLimit", "--no-rate-limit",
		"WithPlainHTTP", "--plain-http",
		"WithConnection, OnConnection or", "--connection or",
	).Replace(err.Error())
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

var errContradiction = errors.New("--no-rate-limit contradicts --rate and --burst; leave one or the other out")
