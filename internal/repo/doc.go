// Package repo holds the tests of the repository itself: that its pages are true, and that
// a program which imports this module gets no more modules than it links.
package repo
