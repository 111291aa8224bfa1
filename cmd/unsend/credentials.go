package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Environment variables that hold credentials.
const (
	envKey        = "OFAUTH_API_KEY"
	envConnection = "OFAUTH_CONNECTION_ID"
	envBaseURL    = "OFAUTH_BASE_URL"
)

// maxKeyFile is far more than any key has, in bytes.
const maxKeyFile = 4 << 10

// readKeyFile returns the key that the file holds, without the newline that editors leave at
// its end. Who may read the file is not judged: secrets that are mounted into a container are
// readable by all of it, and a pipe from a password manager by whom it concerns.
func readKeyFile(name string) (string, error) {
	if name == "" {
		return "", errors.New("--api-key-file needs the name of a file")
	}
	if _, err := os.Stat(name); err != nil && !errors.Is(err, fs.ErrPermission) {
		// Which is not named: it may be the key itself, given where its file belongs.
		return "", errors.New("api key file does not exist; give --api-key-file the name of a file that holds the key")
	}
	file, err := openFile(name)
	if err != nil {
		return "", fmt.Errorf("api key file: %w", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return "", fmt.Errorf("api key file: %w", err)
	}
	key := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case key == "":
		return "", fmt.Errorf("api key file %s is empty; put the key in it", name)
	case len(data) > maxKeyFile:
		return "", fmt.Errorf("api key file %s holds more than a key; want the key alone, on one line", name)
	}
	return key, nil
}
