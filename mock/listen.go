package mock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// listener is the server's socket, while it has one.
type listener struct {
	mu     sync.Mutex
	url    string
	server *http.Server
	served chan struct{}
	open   sync.WaitGroup // connections
}

// Start listens on a free port of 127.0.0.1 and returns the base URL.
func (s *Server) Start() (url string, err error) { return s.StartAddr("127.0.0.1:0") }

// StartAddr listens on a TCP address, such as "127.0.0.1:4010", and returns the base URL. It
// fails where the address is taken, or where the server is listening already. After
// [Server.Close] it can be called again: messages, faults and journal are as they were.
func (s *Server) StartAddr(addr string) (url string, err error) {
	l := &s.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		return "", errors.New("mock: already listening on " + l.url + ", close it first")
	}
	sock, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("mock: %w; choose another address, or port 0 for a free one", err)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				l.open.Add(1)
			case http.StateClosed, http.StateHijacked:
				l.open.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(sock) // http.ErrServerClosed, once Close was called
	}()
	l.server, l.served, l.url = server, served, "http://"+sock.Addr().String()
	return l.url, nil
}

// URL returns the base URL while the server listens, and "" otherwise.
func (s *Server) URL() string {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return s.listener.url
}

// Close stops listening, breaks connections that are open, and waits until their requests
// have ended. Closing a server that does not listen does nothing.
func (s *Server) Close() error {
	l := &s.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil {
		return nil
	}
	err := l.server.Close()
	<-l.served
	l.open.Wait()
	l.server, l.url = nil, ""
	return err
}
