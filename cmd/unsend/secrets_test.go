package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plantedKey = "sk_planted_0123456789abcdef"

// echo is a service that repeats the key wherever a response has room.
func echo(t *testing.T, status int) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("apiKey")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req_"+key)
		w.Header().Set("Location", "/"+key)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"success": true, "error": "bad key " + key, "type": "TYPE_" + key,
			"requestId": key, "actionRequired": key, "queue": map[string]any{"id": 6, "text": key},
		})
	}))
	t.Cleanup(server.Close)
	return server
}

// TestKeyIsPrintedNowhere searches all that the command prints and records for a planted key, while
// the service repeats it as often as it can.
func TestKeyIsPrintedNowhere(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key")
	writeFile(t, keyFile, plantedKey+"\n")
	t.Setenv(envConnection, "conn_demo")
	t.Setenv(envKey, plantedKey)
	for _, status := range []int{200, 302, 401, 404, 422, 429, 500} {
		t.Setenv(envBaseURL, echo(t, status).URL)
		t.Chdir(t.TempDir())
		writeFile(t, "list.csv", "user_id,message_id,connection_id\n5,1,conn_a\n5,2,conn_a\n5,3,conn_b\n")
		const message = "message 5 6 --retries 0 "
		commands := []string{message + "--verbose", message + "--json", message + "--json --api-key-file " + keyFile}
		if status == 200 || status == 401 || status == 422 { // which a batch does not try again
			commands = append(commands, "batch list.csv --yes --json", "batch list.csv --yes --verbose --ledger verbose.db",
				"report list.csv.unsend.db", "report verbose.db --failed", "report verbose.db --json", "report verbose.db --html -")
		}
		for _, command := range commands {
			if out := runAll(t, strings.Fields(command)...); out == "" || strings.Contains(out, plantedKey) {
				t.Errorf("unsend %s prints %q; want something, and not the key", command, out)
			}
		}
		ledgers, _ := filepath.Glob("*.db")
		for _, name := range ledgers {
			if strings.Contains(readFile(t, name), plantedKey) {
				t.Errorf("the ledger %s has the key", name)
			}
		}
	}
}

// TestKeyIsPrintedNowhereBySlip gives the key where a command, a file or a flag belongs.
func TestKeyIsPrintedNowhereBySlip(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{plantedKey}, {"--" + plantedKey}, {"batch", plantedKey}, {"report", plantedKey}, {"batch", "a", "--" + plantedKey},
		{"message", "5", "6", "--timeout", plantedKey}, {"message", "5", "6", "--connection", "key=" + plantedKey},
	} {
		if out := runAll(t, args...); out == "" || strings.Contains(out, plantedKey) {
			t.Errorf("unsend %v prints %q; want something, and not the key", args, out)
		}
	}
}

// TestNoTextOfAPeer: what a server sends behind its response, which net/http writes to package log,
// is not printed.
func TestNoTextOfAPeer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+
			"Content-Length: 16\r\n\r\n{\"success\":true}the planted text")
	}))
	t.Cleanup(server.Close)
	out, _ := command(t, messages(t), server.URL, "batch", "messages.csv", "--yes").CombinedOutput() // its exit code adds nothing
	if text := string(out); !strings.Contains(text, "60  unsent") || strings.Contains(text, "planted") {
		t.Errorf("the command prints\n%s\nwant 60 messages unsent, and nothing of the server's", text)
	}
}

// TestPasswordIsPrintedNowhere gives addresses where they belong and where they do not, also such
// that read as if a part of the password were none. None is taken for the name of a file.
func TestPasswordIsPrintedNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "messages.csv", "user_id,message_id\n5,1\n")
	for _, address := range []string{
		"postgres://u:pa/s3cret@h", "postgres://u:5/s3cret@h/d", "postgres://u:s3cret/x@h/d", "postgres://u:5?s3cret@h/d",
		"postgres://u:5#s3cret@h/d",
		"postgres://u:5@s3cret@h/d", "postgres://u:5%s3cret@h/d", "postgres://u:5 s3cret@h/d", "mysql://u:5/s3cret@h/d",
		"postgres://u:s3cret@127.0.0.1:port/d", "postgres://u:s3cret@[/d", "mysql://u:s3cret@h/d", "u:s3cret@h/d", "//u:s3cret@h/d",
		"postgres:u:s3cret@h/d", "host=h password=s3cret", "password = s3cret host=h", "host=h password='5 user=s3cret'",
		"host=h password=5 s3cret", "HOST=h PASSWORD=s3cret", "postgres://h/d?password=s3cret", "postgres://h/d?password=5&s3cret",
		"postgres://h/d?password=5#s3cret", "postgres://h/d?password=5;s3cret",
		"postgres://u:it's3cret@h/d", `postgres://u:5"s3cret@h/d`, "postgres://u:5  s3cret@h/d", "postgres//u:s3cret@h/d",
		"PGPASSWORD=s3cret psql", "file:d?password=s3cret",
	} {
		address = strings.NewReplacer("@h", "@127.0.0.1:1", "//h", "//127.0.0.1:1",
			"host=h", "host=127.0.0.1 port=1", "HOST=h", "HOST=127.0.0.1 port=1").Replace(address)
		out := runAll(t, "batch", "--mock", "--yes", "messages.csv", "--run", "june", "--ledger", address)
		if again := withoutPassword(address); strings.Contains(out+again, "s3cret") || out == "" {
			t.Errorf("%s: prints %q, and %q", address, out, again)
		}
		for _, args := range [][]string{
			{"report", address}, {"batch", "--mock", "--in-flight", address, "messages.csv"}, {"batch", address}, {address},
		} {
			if out := runAll(t, args...); strings.Contains(out, "s3cret") || out == "" {
				t.Errorf("%v prints %q", args, out)
			}
		}
		t.Setenv(envLedger, address)
		for _, args := range [][]string{{"report"}, {"report", "--run", "june"}, {"batch", "--yes", "messages.csv"}} {
			if out := runAll(t, args...); strings.Contains(out, "s3cret") || out == "" {
				t.Errorf("%s in the environment: %v prints %q", address, args, out)
			}
		}
		t.Setenv(envLedger, "")
	}
	if left, _ := filepath.Glob("*"); len(left) != 1 {
		t.Errorf("files were made of the addresses: %q", left)
	}
	for address, want := range map[string]string{
		"postgres://u:s3cret@db:5432/ops?schema=x": "postgres://u@db:5432/ops?schema=x",
		"host=db user=u password=s3cret dbname=d":  "(hidden)",
		"host=db dbname=d":                         "host=db dbname=d",
	} {
		if got := withoutPassword(address); got != want {
			t.Errorf("shown is %s; want %s", got, want)
		}
	}
	for _, name := range []string{`C:\x\a@b.db`, "a@b.db", "./u:x@h", "list.csv.unsend.db"} {
		if isAddress(name) {
			t.Errorf("%s is taken for an address", name)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
