// Package kubernetes holds a Job whose pods share a batch, and the test that keeps it in step
// with the command. It is a module of its own, so that nobody else depends on Kubernetes' types.
package kubernetes
