package mock

import (
	"bytes"
	"strconv"
	"strings"
)

// snapshot is the plain 200 body in pieces, between which the ids go. Every member that is
// documented is there.
type snapshot struct{ upToID, upToUser, rest []byte }

const (
	firstMedia = 3950387999

	// The body's members stand in the order of the documentation.
	snapshotText = `{"success":true,"queue":{"id":MESSAGE,"text":"<p>Good morning!</p>",` +
		`"fromUser":{"id":USER,"name":"Jo","_view":"s"},"media":[MEDIA],"previews":[PREVIEWS],` +
		`"isMediaReady":true,"mediaCount":COUNT,"lockedText":false,"responseType":"message","giphyId":null,` +
		`"isFree":true,"isTip":false,"isReportedByMe":false,"isCouplePeopleMedia":false,"queueId":26439068590,` +
		`"isMarkdownDisabled":true,"releaseForms":[],"isFromQueue":false,"canUnsendQueue":false,` +
		`"unsendSecondsQueue":0,"isOpened":false,"isNew":true,"createdAt":"2025-07-23T10:01:22+00:00",` +
		`"changedAt":"2025-07-23T10:01:22+00:00","cancelSeconds":86397,"isLiked":false,"canPurchase":false,` +
		`"canPurchaseReason":"free","canReport":false,"canBePinned":false,"isPinned":false,` +
		`"date":"2025-07-23T10:01:22+00:00","textCropped":"Good morning!","sentCount":1,"viewedCount":0,` +
		`"canUnsend":true,"unsendSeconds":86397,"isCanceled":false,` +
		`"mediaTypes":{"video":0,"photo":COUNT,"gif":0,"audio":0},"hasError":false,"price":"0",` +
		`"purchasedCount":0,"canSendMessageToBuyers":false}}`

	mediaText = `{"id":ID,"type":"photo","convertedToVideo":false,"canView":true,"hasError":false,` +
		`"createdAt":"2025-07-23T10:01:20+00:00","isReady":true,"releaseForms":[{"id":81234,"name":"Sam",` +
		`"partnerSource":"form","type":"release","user":{"view":"s","id":61234567,"name":"Sam","username":"sam",` +
		`"isVerified":true,"avatar":"https://media.example/sam.jpg","avatarThumbs":{` +
		`"c50":"https://media.example/sam_c50.jpg","c144":"https://media.example/sam_c144.jpg"},` +
		`"ivStatus":"approved","isFromGuest":false}}],"duration":0,"hasCustomPreview":false,` +
		`"videoSources":{"240":null,"720":null},"files":{"full":{"url":"https://media.example/ID/full.jpg",` +
		`"sources":[{"url":"https://media.example/ID/half.jpg","width":600,"height":800,"type":"photo"}],` +
		`"width":1200,"height":1600,"size":234567},"thumb":{"url":"https://media.example/ID/thumb.jpg",` +
		`"width":300,"height":300,"size":12345},"preview":{"url":"https://media.example/ID/preview.jpg",` +
		`"options":[{"url":"https://media.example/ID/option.jpg","width":480,"height":640,"type":"photo"}],` +
		`"width":960,"height":1280,"size":98765},"squarePreview":{"url":"https://media.example/ID/square.jpg",` +
		`"width":960,"height":960,"size":87654}}}`
)

func newSnapshot(media int) snapshot {
	all := make([]string, media)
	for i := range all {
		all[i] = strings.ReplaceAll(mediaText, "ID", strconv.Itoa(firstMedia+i))
	}
	previews := ""
	if media > 0 {
		previews = strconv.Itoa(firstMedia)
	}
	text := strings.NewReplacer(
		"MEDIA", strings.Join(all, ","),
		"PREVIEWS", previews,
		"COUNT", strconv.Itoa(media),
	).Replace(snapshotText)
	upToID, rest, _ := bytes.Cut([]byte(text), []byte("MESSAGE"))
	upToUser, rest, _ := bytes.Cut(rest, []byte("USER"))
	return snapshot{upToID, upToUser, rest}
}

// body fills in the ids.
func (s snapshot) body(userID, messageID string) []byte {
	b := make([]byte, 0, len(s.upToID)+len(s.upToUser)+len(s.rest)+len(userID)+len(messageID))
	b = append(b, s.upToID...)
	b = append(b, number(messageID)...)
	b = append(b, s.upToUser...)
	b = append(b, number(userID)...)
	return append(b, s.rest...)
}

// number is an id as the snapshot's integer. One that is no decimal number of at most 18
// digits shows as 0: that is the mock's choice.
func number(id string) string {
	if _, ok := decimal(id); ok {
		return id
	}
	return "0"
}
