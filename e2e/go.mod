module github.com/unsend-go/unsend/e2e

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/unsend-go/unsend v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/net v0.48.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/runtime v1.8.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)

replace github.com/unsend-go/unsend => ../
