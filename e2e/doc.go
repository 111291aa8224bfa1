// Package e2e holds the tests that need a browser. They are a module of their own, behind the
// build tag browser, so that nobody else needs one: `make browser` runs them.
package e2e
