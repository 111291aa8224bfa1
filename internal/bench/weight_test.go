package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs send the same request; one of them through api.
var programs = map[string]string{
	"bare": `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	req, _ := http.NewRequest("DELETE", os.Args[1], strings.NewReader("{}"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var answer struct{ Success bool }
	fmt.Println(json.Unmarshal(raw, &answer), answer)
}
`,
	"api": `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/unsend-go/unsend/api"
)

func main() {
	client, err := api.FromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(context.Background(), os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := result.Queue()
	fmt.Println(result.Outcome, queue, err)
}
`,
}

// BenchmarkProgram builds a program that imports only api, and the same on bare net/http and
// encoding/json, and compares their sizes.
func BenchmarkProgram(b *testing.B) {
	root, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	sizes := map[string]float64{}
	for _, name := range []string{"bare", "api"} {
		b.Run(name, func(b *testing.B) {
			dir := module(b, root, programs[name])
			binary := filepath.Join(dir, "program")
			for b.Loop() {
				run(b, dir, "go", "build", "-o", binary, ".")
			}
			info, err := os.Stat(binary)
			if err != nil {
				b.Fatal(err)
			}
			sizes[name] = float64(info.Size())
			b.ReportMetric(sizes[name]/sizes["bare"], "x-size")
			b.ReportMetric(float64(linked(b, binary)), "modules")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkGenerate is `go generate ./...` with warm caches.
func BenchmarkGenerate(b *testing.B) {
	run(b, "../..", "go", "generate", "./...")
	start := time.Now()
	for b.Loop() {
		run(b, "../..", "go", "generate", "./...")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(time.Since(start).Seconds()/float64(b.N), "s")
}

// module writes a program into a module of its own that uses this checkout.
func module(tb testing.TB, root, program string) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		tb.Fatal(err)
	}
	requirements, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		tb.Fatal(err)
	}
	for name, text := range map[string]string{
		// This module's requirements, so that go need not look for any, on a cold cache either.
		"go.mod":  strings.Replace(string(requirements), "module github.com/unsend-go/unsend\n", "module program\n", 1),
		"go.sum":  string(sums),
		"main.go": program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	if strings.Contains(program, "unsend/api") {
		run(tb, dir, "go", "mod", "edit", "-require", "github.com/unsend-go/unsend@v0.0.0", "-replace", "github.com/unsend-go/unsend="+root)
	}
	return dir
}

// linked counts the modules that a binary holds, its own included.
func linked(tb testing.TB, binary string) int {
	tb.Helper()
	modules := 0
	for line := range strings.Lines(run(tb, ".", "go", "version", "-m", binary)) {
		if fields := strings.Fields(line); len(fields) > 0 && (fields[0] == "mod" || fields[0] == "dep") {
			modules++
		}
	}
	return modules
}

func run(tb testing.TB, dir, name string, args ...string) string {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
