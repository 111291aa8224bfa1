package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError says where to look, and answers the one flag that many will try.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		switch unknown.GetSpecifiedName() {
		case "api-key", "apikey", "apiKey", "key":
			return fmt.Errorf("no flag takes the key, which would show in process lists; set %s or use --api-key-file", envKey)
		}
	}
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok && !errors.Is(err, strconv.ErrRange) {
		if want := valueOf(invalid.GetFlag()); want != "" {
			return fmt.Errorf("--%s: %q is not %s; see %s --help", invalid.GetFlag().Name, invalid.GetValue(), want, cmd.CommandPath())
		}
	}
	return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
}

// valueOf says in words what a flag takes, where pflag would name functions of strconv.
func valueOf(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number from 0 on"
	case "float64":
		return "a number"
	case "duration":
		return "a time such as 30s or 2m"
	}
	return ""
}
