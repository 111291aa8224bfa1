package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// Environment variables that hold credentials.
const (
	envKey        = "OFAUTH_API_KEY"
	envConnection = "OFAUTH_CONNECTION_ID"
	envBaseURL    = "OFAUTH_BASE_URL"
)

// clientFlags configure the client of every command that sends.
type clientFlags struct {
	set *pflag.FlagSet

	mock        bool
	connection  string
	keyFile     string
	baseURL     string
	plainHTTP   bool
	timeout     time.Duration
	rate, burst int
	noRateLimit bool
	faultRate   float64
	seed        uint64
	verbose     bool
}

func (f *clientFlags) register(set *pflag.FlagSet) {
	f.set = set
	set.BoolVar(&f.mock, "mock", false, "use a mock in this process: no account, no network")
	set.StringVar(&f.connection, "connection", "", "creator's connection `id` (default $"+envConnection+")")
	set.StringVar(&f.keyFile, "api-key-file", "", "`file` that holds the API key (default: the key in $"+envKey+")")
	set.StringVar(&f.baseURL, "base-url", "", "`url` of the service (default $"+envBaseURL+", or "+api.DefaultBaseURL+")")
	set.BoolVar(&f.plainHTTP, "plain-http", false, "allow http to a host that is not loopback: the key then crosses the network unencrypted")
	set.DurationVar(&f.timeout, "timeout", 30*time.Second, "time for one attempt, up to 1h")
	set.IntVar(&f.rate, "rate", 60, "requests a minute on each connection, as your plan allows")
	set.IntVar(&f.burst, "burst", 90, "requests at once on each connection, as your plan allows")
	set.BoolVar(&f.noRateLimit, "no-rate-limit", false, "send without a rate limit, for plans that have none")
	set.Float64Var(&f.faultRate, "fault-rate", 0, "with --mock: share of responses that go wrong, 0 to 1")
	set.Uint64Var(&f.seed, "seed", 1, "with --fault-rate: seed of the draw")
	set.BoolVar(&f.verbose, "verbose", false, "log every attempt to standard error")
}

// sender is a client, its key and its mock.
type sender struct {
	*api.Client

	key  string       // never printed
	mock *mock.Server // nil without --mock
}

// client makes the client of the flags and the environment. An idle client sends nothing, and needs
// no key; a key file is read all the same. --verbose writes to log.
func (f *clientFlags) client(log io.Writer, idle bool, more ...api.Option) (*sender, error) {
	err := cmp.Or(
		contradict(f.set, "mock", "api-key-file", "base-url", "plain-http"),
		contradict(f.set, "no-rate-limit", "rate", "burst"),
		checkFaultRate(f.faultRate),
	)
	if err == nil && !f.mock && (f.set.Changed("fault-rate") || f.set.Changed("seed")) {
		err = errors.New("--fault-rate and --seed are for a rehearsal: add --mock")
	}
	if err != nil {
		return nil, err
	}
	if f.noRateLimit {
		f.rate = 0
	}
	opts := append(f.options(log), more...)
	s := &sender{key: os.Getenv(envKey)}
	switch {
	case f.mock:
		s.key, s.mock = mock.DemoKey, f.newMock()
		opts = append([]api.Option{api.WithConnection(mock.DemoConnection), api.WithHTTPClient(s.mock.Client())}, opts...)
	case idle && !f.set.Changed("api-key-file"):
		s.key = mock.DemoKey
		opts = append(optionsFromEnv(), opts...)
	case f.set.Changed("api-key-file"):
		if s.key, err = readKeyFile(f.keyFile); err != nil {
			return nil, err
		}
		opts = append(optionsFromEnv(), opts...)
	default:
		if err := checkKey(envKey, strings.TrimSpace(s.key)); err != nil {
			return nil, err
		}
		s.Client, err = api.FromEnv(opts...)
		return s, asFlags(err)
	}
	s.Client, err = api.New(s.key, opts...)
	return s, asFlags(err)
}

// optionsFromEnv returns the options that [api.FromEnv] reads, without the key.
func optionsFromEnv() (opts []api.Option) {
	if id := os.Getenv(envConnection); id != "" {
		opts = append(opts, api.WithConnection(id))
	}
	if url := os.Getenv(envBaseURL); url != "" {
		opts = append(opts, api.WithBaseURL(url))
	}
	return opts
}

func (f *clientFlags) options(log io.Writer) []api.Option {
	opts := []api.Option{api.WithTimeout(f.timeout)}
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

// newMock makes a service with the rate limit that the client expects.
func (f *clientFlags) newMock() *mock.Server {
	known := mock.Connection{ID: f.defaultConnection()}
	limit := mock.WithRateLimit(f.rate, f.burst)
	if f.noRateLimit {
		limit = mock.WithoutRateLimit()
	}
	return mock.New(mock.WithConnections(known), limit, mock.WithFaults(f.seed, f.faultRate, mock.TransientFaults()...))
}

func checkFaultRate(rate float64) error {
	if rate >= 0 && rate <= 1 {
		return nil
	}
	return errors.New("--fault-rate must be 0 to 1")
}

// defaultConnection returns the connection of rows that name none, or "".
func (f *clientFlags) defaultConnection() string {
	if f.mock {
		return cmp.Or(f.connection, mock.DemoConnection)
	}
	return cmp.Or(f.connection, os.Getenv(envConnection))
}

func (s *sender) service() string {
	if s.mock != nil {
		return "the mock"
	}
	return s.BaseURL()
}

// asFlags replaces the names of options by those of flags in an error.
func asFlags(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.NewReplacer(
		"WithoutRateLimit", "--no-rate-limit",
		"WithPlainHTTP", "--plain-http",
		"WithConnection or", "--connection or",
		"set a default connection", "name one for all with --connection or "+envConnection,
	).Replace(err.Error()))
}

// maxKeyFile is how many bytes of a key file are read, far more than any key has.
const maxKeyFile = 4 << 10

// assignment matches the beginning of a shell, dotenv, YAML or JSON file.
var assignment = regexp.MustCompile(`(?i)^(["'{#]|(export )?[a-z_]\w*\s*(=\s*[^=\s]|:\s))`)

// checkKey refuses a text that is certain to hold more than a key. The error names its source.
func checkKey(source, key string) error {
	switch {
	case assignment.MatchString(key):
		return fmt.Errorf("%s holds NAME=VALUE or quotes; want the key alone", source)
	case len(key) > maxKeyFile, strings.ContainsAny(key, " \t\r\n"):
		return fmt.Errorf("%s holds more than a key; want the key alone, on one line", source)
	}
	return nil
}

// readKeyFile returns the key that the file holds, in UTF-8, or UTF-16 with a byte order mark,
// without the blanks around it. Its permissions are not checked: secrets that are mounted into a
// container are readable by all of it, and a pipe from a password manager has none.
func readKeyFile(name string) (string, error) {
	if name == "" {
		return "", errors.New("--api-key-file needs the name of a file")
	}
	if _, err := os.Stat(name); err != nil && !errors.Is(err, fs.ErrPermission) {
		// The name is not printed: it may be the key itself.
		return "", errors.New("api key file does not exist; give --api-key-file the name of a file that holds the key")
	}
	file, err := openFile(name)
	if err != nil {
		return "", fmt.Errorf("api key file: %w", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(transform.NewReader(file, unicode.BOMOverride(transform.Nop)), maxKeyFile+1))
	key := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		return "", fmt.Errorf("api key file: %w", err)
	case key == "":
		return "", fmt.Errorf("api key file %s is empty; put the key in it", name)
	}
	return key, checkKey("api key file "+name, key)
}
