package mock

import "time"

// DefaultFaults lists the faults that are drawn unless others are given: every status that
// the service documents and the ones beside them, every kind but the oversized bodies (which
// cost 9 MiB each), and wherever an answer leaves open whether the message was unsent, both.
func DefaultFaults() []Fault {
	list := []Fault{
		{Status: 400}, {Status: 401}, {Status: 401, Type: typeSessionExpired}, {Status: 401, Type: typeRulesOutdated},
		{Status: 403}, {Status: 404}, {Status: 404, Type: typeResourceNotFound}, {Status: 409}, {Status: 422, Shape: ShapeEarlier},
		{Status: 429}, {Status: 429, RetryAfter: "1"}, {Status: 429, RetryDate: 2 * time.Second},
		{Status: 429, RetryAfter: "-1"}, {Status: 429, RetryAfter: "soon"}, {Status: 429, RetryDate: -time.Hour},
		{Status: 429, RetryAfter: "99999999999999999999"}, {Status: 429, Shape: ShapeSDK},
		{Status: 301}, {Status: 302}, {Status: 307}, {Status: 308},
		{Kind: Refused}, {Kind: SuccessLast}, {Kind: TruncatedLate}, {Kind: Slow}, {Kind: Mislabeled},
	}
	open := []Fault{
		{Status: 303}, {Status: 408}, {Status: 500}, {Status: 501}, {Status: 502}, {Status: 503}, {Status: 504}, {Status: 505},
		{Status: 503, RetryAfter: "1"}, {Status: 502, Kind: HTML}, {Status: 500, Shape: ShapeEarlier}, {Status: 500, Shape: ShapeSDK},
		{Status: 204}, {Kind: Drop}, {Kind: Truncated}, {Kind: Text}, {Kind: HTML}, {Kind: Null}, {Kind: Empty},
		{Delay: 2 * time.Second},
	}
	for _, d := range drifts() {
		f := Fault{Kind: d.name}
		if d.unreadable() {
			open = append(open, f)
		} else {
			list = append(list, f)
		}
	}
	for _, f := range open {
		acted := f
		acted.Acted = true
		list = append(list, f, acted)
	}
	return list
}
