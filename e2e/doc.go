// Package e2e holds the tests that need a browser, behind the build tag browser: `make browser`
// runs them. Package wire holds those that break HTTP by hand. Both are in one module of their
// own, which keeps their dependencies out of the main one.
package e2e
