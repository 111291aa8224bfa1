package api_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestAlertsAfterTheRequest has servers that read a request whole, may have carried it out, and
// then send a TLS alert. Whatever the alert is called, the message may have been unsent.
func TestAlertsAfterTheRequest(t *testing.T) {
	identity, roots := certificate(t, time.Now().Add(time.Hour))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, earlier := range []uint64{0, 1} { // answers on the same connection
			for _, code := range []byte{0, 10, 20, 40, 42, 43, 44, 45, 46, 47, 48, 49, 70, 71, 80, 112, 116, 120, 255} {
				t.Run(fmt.Sprintf("%s, %d answers, alert %d", tls.VersionName(version), earlier, code), func(t *testing.T) {
					t.Parallel()
					server := newAlertServer(t, identity, version, earlier, code)
					transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
					t.Cleanup(transport.CloseIdleConnections)
					client := newClient(t, transport, api.WithBaseURL("https://"+server.address), api.WithRetries(0))
					for range earlier {
						if _, err := unsend(t.Context(), t, client); err != nil {
							t.Fatal(err)
						}
					}
					_, err := unsend(t.Context(), t, client)
					if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 1 || e.Scope != api.ScopeService || !e.Retryable {
						t.Errorf("%v: %+v", err, e)
					}
					if n := server.requests.Load(); n != int64(earlier)+1 {
						t.Errorf("%d requests", n)
					}
				})
			}
		}
	}
}

// newAlertServer answers so many requests, and the next with an alert.
func newAlertServer(t *testing.T, identity tls.Certificate, version uint16, answers uint64, code byte) *rawServer {
	t.Helper()
	return newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
		spy := &tlsSpy{Conn: conn, secrets: map[string][]byte{}}
		secure := tls.Server(spy, &tls.Config{
			Certificates: []tls.Certificate{identity}, MinVersion: version, MaxVersion: version, KeyLogWriter: keyLog{spy}, SessionTicketsDisabled: true,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		})
		if err := secure.HandshakeContext(t.Context()); err != nil {
			t.Error(err)
			return
		}
		in := bufio.NewReader(secure)
		for range answers {
			if !s.readRequest(in) {
				return
			}
			_, _ = io.WriteString(secure, goodAnswer)
		}
		if s.readRequest(in) {
			_, _ = conn.Write(spy.alert(t, secure.ConnectionState(), answers, code))
			_, _ = io.Copy(io.Discard, conn)
		}
	})
}

// tlsSpy learns a connection's keys, to write the alerts that crypto/tls does not let one write.
type tlsSpy struct {
	net.Conn
	mu      sync.Mutex
	written []byte // by the server, whose random is at its start
	secrets map[string][]byte
	random  []byte // the client's
}

// alert makes a record that crypto/tls on the other side takes for one of this connection.
func (s *tlsSpy) alert(t *testing.T, state tls.ConnectionState, records uint64, code byte) []byte {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	alert := []byte{2, code}
	if state.Version == tls.VersionTLS13 {
		if state.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
			t.Skip("no AES in hardware: another cipher suite was chosen")
		}
		secret := s.secrets["SERVER_TRAFFIC_SECRET_0"]
		nonce := expandLabel(t, secret, "iv", 12)
		for i, b := range binary.BigEndian.AppendUint64(nil, records) {
			nonce[4+i] ^= b
		}
		header := []byte{23, 3, 3, 0, 19}
		return append(header, aead(t, expandLabel(t, secret, "key", 16)).Seal(nil, nonce, append(alert, 21), header)...)
	}
	serverRandom := s.written[11:43]
	block := prf(s.secrets["CLIENT_RANDOM"], append([]byte("key expansion"), append(bytes.Clone(serverRandom), s.random...)...), 40)
	sequence := binary.BigEndian.AppendUint64(nil, 1+records) // behind the Finished
	sealed := aead(t, block[16:32]).Seal(nil, append(bytes.Clone(block[36:40]), sequence...), alert, append(bytes.Clone(sequence), 21, 3, 3, 0, 2))
	return append(append([]byte{21, 3, 3, 0, byte(len(sequence) + len(sealed))}, sequence...), sealed...)
}

func (s *tlsSpy) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.written = append(s.written, p...)
	s.mu.Unlock()
	return s.Conn.Write(p)
}

// keyLog takes in lines of a label, the client's random and a secret.
type keyLog struct{ *tlsSpy }

func (s keyLog) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var label string
	var secret []byte
	if _, err := fmt.Sscanf(string(p), "%s %x %x", &label, &s.random, &secret); err != nil {
		return 0, err
	}
	s.secrets[label] = secret
	return len(p), nil
}

func aead(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm
}

// expandLabel is HKDF-Expand-Label of TLS 1.3, without a context.
func expandLabel(t *testing.T, secret []byte, label string, length byte) []byte {
	t.Helper()
	label = "tls13 " + label
	out, err := hkdf.Expand(sha256.New, secret, string([]byte{0, length, byte(len(label))})+label+"\x00", int(length))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// prf is that of TLS 1.2.
func prf(secret, seed []byte, length int) (out []byte) {
	sum := func(data []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(data)
		return mac.Sum(nil)
	}
	for a := sum(seed); len(out) < length; a = sum(a) {
		out = append(out, sum(append(bytes.Clone(a), seed...))...)
	}
	return out[:length]
}
