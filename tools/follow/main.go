// Command follow follows the sections of a page, each in a fresh copy
// of this module, and fails if the page does not work:
//
//	go run ./tools/follow PAGE            every section that has an edit
//	go run ./tools/follow PAGE TITLE...   the sections of these titles
//
// A ```diff block is an edit of the file that it names first, or a new file. The lines behind "$ "
// in a ```console block are commands, whose output must contain the lines below them, blanks aside;
// "…" stands for anything.
// At the end of a section the module must build, and its tests of the contract must pass, unless
// the section itself runs `make test`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: follow PAGE [TITLE...]")
		os.Exit(2)
	}
	if err := follow(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "follow: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func follow(page string, titles []string) error {
	text, err := os.ReadFile(page) //nolint:gosec // the page that was asked for
	if err != nil {
		return err
	}
	followed := 0
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		if len(titles) == 0 && !strings.Contains(section, "\n```diff\n") || len(titles) > 0 && !slices.Contains(titles, title) {
			continue
		}
		followed++
		started := time.Now()
		if err := alone(section); err != nil {
			return fmt.Errorf("%s: %w", title, err)
		}
		fmt.Fprintf(os.Stdout, "follow: %s: ok, %.0f s\n", title, time.Since(started).Seconds())
	}
	if followed < max(1, len(titles)) {
		return fmt.Errorf("followed %d sections; want those titled %q, or at least one with an edit", followed, titles)
	}
	return nil
}

// alone follows a section in a copy of this module that holds no other section's edits.
func alone(section string) error {
	dir, err := os.MkdirTemp("", "follow")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Not .git: in a linked worktree it is a file, by which the copy's commits would end up here.
	out, err := module(".").run("tar -c --exclude=./.git --exclude=node_modules --exclude=./bin --exclude=./dist . | tar -x -C '" + dir + "'")
	if err != nil {
		return fmt.Errorf("copy the module: %w\n%s", err, out)
	}
	copied := module(dir)
	if err := copied.commit("before"); err != nil {
		return err
	}
	if err := copied.section(section); err != nil {
		return err
	}
	if strings.Contains(section, "\n$ make test\n") {
		return nil
	}
	return copied.test(strings.Contains(section, "operationId"))
}

// module is the folder of a copy of this module.
type module string

var block = regexp.MustCompile("(?ms)^```(diff|console)\n(.*?)^```$")

// section makes the edits of a section and runs its commands, in the order of the page.
func (m module) section(text string) error {
	for _, match := range block.FindAllStringSubmatch(text, -1) {
		var err error
		if match[1] == "diff" {
			err = m.edit(match[2])
		} else {
			err = m.session(match[2])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// test builds all packages, and tests those that follow from the contract; the command too, if there is
// another operation, which it requires to be named then.
func (m module) test(operation bool) error {
	commands := []string{"go vet ./...", "go test ./api ./gen ./contract ./mock"}
	if operation {
		commands = append(commands, "go test -run Scripts/contract ./cmd/unsend")
	}
	for _, command := range commands {
		if out, err := m.run(command); err != nil {
			return fmt.Errorf("%s: %w\n%s", command, err, out)
		}
	}
	return nil
}

// edit applies a diff to a file. The lines before the change must occur in it once.
func (m module) edit(diff string) error {
	head, diff, _ := strings.Cut(diff, "\n")
	name, named := strings.CutPrefix(head, "--- ")
	if !named {
		return fmt.Errorf("an edit begins with %q, not with --- and a file", head)
	}
	var before, after strings.Builder
	for line := range strings.Lines(diff) {
		if line[0] != '+' {
			before.WriteString(line[1:])
		}
		if line[0] != '-' {
			after.WriteString(line[1:])
		}
	}
	root, err := os.OpenRoot(string(m))
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	content, err := root.ReadFile(name)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || before.Len() > 0) {
		return err
	}
	if n := strings.Count(string(content), before.String()); n != 1 && err == nil {
		return fmt.Errorf("%s has these lines %d times, not once:\n%s", name, n, before.String())
	}
	return root.WriteFile(name, []byte(strings.Replace(string(content), before.String(), after.String(), 1)), 0o600)
}

// session runs the commands of a block and compares their output with what the block shows. A
// command may fail only if the block shows that make stopped, or an exit status.
func (m module) session(text string) error {
	for part := range strings.SplitSeq("\n"+text, "\n$ ") {
		command, shown, _ := strings.Cut(part, "\n")
		if command == "" {
			continue
		}
		out, err := m.run(command)
		if err != nil && !strings.Contains(shown, "make: ***") && !strings.Contains(shown, "exit status") {
			return fmt.Errorf("$ %s: %w\n%s", command, err, out)
		}
		printed := blanks(out)
		for line := range strings.Lines(shown) {
			for part := range strings.SplitSeq(line, "…") {
				if !strings.Contains(printed, blanks(part)) {
					return fmt.Errorf("$ %s does not print %q, but:\n%s", command, strings.TrimSpace(line), out)
				}
			}
		}
	}
	return nil
}

// blanks makes one blank of several, so that a page may indent as it likes.
func blanks(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

func (m module) run(command string) (string, error) {
	cmd := exec.CommandContext(context.Background(), "bash", "-c", command) //nolint:gosec // what the page has its readers run
	cmd.Dir = string(m)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath", "GIT_PAGER=cat")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (m module) commit(subject string) error {
	out, err := m.run("git init -q && git add -A && git -c user.name=follow -c user.email=follow@example.org -c commit.gpgsign=false commit -qm '" + subject + "'")
	if err != nil {
		return fmt.Errorf("commit: %w\n%s", err, out)
	}
	return nil
}
