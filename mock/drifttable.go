package mock

// fullUser is the sender as some answers hold it, with members that are not documented.
const fullUser = `{"id":51234567,"name":"Jo","username":"jo","view":"full","isVerified":true,"subscribersCount":null,"tips":{"min":5,"max":200},"badges":[]}`

// drifts lists what is seen on the wire where it departs from the documentation and then, as
// those that break the contract, types that nobody documented or saw.
func drifts() []drift {
	return []drift{
		{"drift-text-html", false, []change{{"queue.text", `"<p>Caf\u00e9 &amp; <a href=\"https://media.example/\">more</a> 😀<br/></p>"`}}},
		{"drift-from-user-view", false, []change{{"queue.fromUser", `{"id":51234567,"_view":"view"}`}}},
		{"drift-from-user-full", false, []change{{"queue.fromUser", fullUser}}},
		{"drift-from-user-absent", false, []change{{"queue.fromUser", ""}}},
		{"drift-media-absent", false, []change{{"queue.media", ""}}},
		{"drift-media-empty", false, []change{{"queue.media", "[]"}}},
		{"drift-media-type-absent", false, []change{{"queue.media[].type", ""}}},
		{"drift-media-created-null", false, []change{{"queue.media[].createdAt", "null"}}},
		{"drift-media-duration-zero", false, []change{{"queue.media[].duration", "0"}}},
		{"drift-media-release-forms-absent", false, []change{{"queue.media[].releaseForms", ""}}},
		{"drift-video-sources-null", false, []change{
			{"queue.media[].videoSources.240", "null"}, {"queue.media[].videoSources.720", "null"},
		}},
		{"drift-full-url-null", false, []change{{"queue.media[].files.full.url", "null"}}},
		{"drift-full-size-zero", false, []change{{"queue.media[].files.full.size", "0"}}},
		{"drift-full-sources-empty", false, []change{{"queue.media[].files.full.sources", "[]"}}},
		{"drift-thumb-bare", false, []change{
			{"queue.media[].files.thumb.width", ""}, {"queue.media[].files.thumb.height", ""}, {"queue.media[].files.thumb.size", ""},
		}},
		{"drift-thumb-size-zero", false, []change{{"queue.media[].files.thumb.size", "0"}}},
		{"drift-previews-absent", false, []change{{"queue.previews", ""}}},
		{"drift-previews-empty", false, []change{{"queue.previews", "[]"}}},
		{"drift-giphy-null", false, []change{{"queue.giphyId", "null"}}},
		{"drift-queue-id-long", false, []change{{"queue.queueId", "26439068590"}}},
		{"drift-release-forms-null", false, []change{{"queue.releaseForms", "null"}}},
		{"drift-release-forms-empty", false, []change{{"queue.releaseForms", "[]"}}},
		{"drift-unsend-seconds-queue-long", false, []change{{"queue.unsendSecondsQueue", "1000000"}}},
		{"drift-unsend-seconds-zero", false, []change{{"queue.unsendSeconds", "0"}}},
		{"drift-media-types-null", false, []change{{"queue.mediaTypes", "null"}}},
		{"drift-price-number", false, []change{{"queue.price", "0"}}},
		{"drift-queue-null", false, []change{{"queue", "null"}}},
		{"drift-queue-absent", false, []change{{"queue", ""}}},
		{"drift-mass-message", false, []change{
			{"queue.fromUser", ""}, {"queue.media", ""}, {"queue.previews", ""}, {"queue.isFromQueue", "true"},
		}},
		{"drift-members-added", false, []change{
			{"queue.addedFlag", "true"}, {"queue.media[].addedList", `[{"deep":null}]`}, {"addedTop", `{"any":"thing"}`},
		}},
		{"drift-wire", false, []change{ // all at once, as far as they go together
			{"queue.text", `"<p>Caf\u00e9 &amp; more 😀<br/></p>"`}, {"queue.fromUser", fullUser},
			{"queue.media[].type", ""}, {"queue.media[].createdAt", "null"}, {"queue.media[].duration", "0"},
			{"queue.media[].releaseForms", ""}, {"queue.media[].videoSources.240", "null"}, {"queue.media[].videoSources.720", "null"},
			{"queue.media[].files.full.url", "null"}, {"queue.media[].files.full.size", "0"}, {"queue.media[].files.full.sources", "[]"},
			{"queue.media[].files.thumb.width", ""}, {"queue.media[].files.thumb.height", ""}, {"queue.media[].files.thumb.size", "0"},
			{"queue.previews", "[]"}, {"queue.giphyId", "null"}, {"queue.queueId", "26439068590"}, {"queue.releaseForms", "null"},
			{"queue.unsendSecondsQueue", "1000000"}, {"queue.unsendSeconds", "0"}, {"queue.mediaTypes", "null"}, {"queue.price", "0"},
			{"queue.addedFlag", "true"}, {"addedTop", `{"any":"thing"}`},
		}},

		{"drift-id-string", true, []change{{"queue.id", `"6432457811894"`}}},
		{"drift-id-fraction", true, []change{{"queue.id", "1.5"}}},
		{"drift-id-absent", true, []change{{"queue.id", ""}}},
		{"drift-text-number", true, []change{{"queue.text", "5"}}},
		{"drift-flag-number", true, []change{{"queue.isFree", "1"}}},
		{"drift-count-string", true, []change{{"queue.mediaCount", `"1"`}}},
		{"drift-date-number", true, []change{{"queue.createdAt", "1753264882"}}},
		{"drift-media-null", true, []change{{"queue.media", "null"}}},
		{"drift-media-object", true, []change{{"queue.media", "{}"}}},
		{"drift-media-type-new", false, []change{{"queue.media[].type", `"hologram"`}}},
		{"drift-price-object", true, []change{{"queue.price", `{"amount":0}`}}},
		{"drift-queue-string", true, []change{{"queue", `"gone"`}}},
		{"drift-queue-array", true, []change{{"queue", "[]"}}},
		{"drift-success-string", true, []change{{"success", `"true"`}}},
		{"drift-success-number", true, []change{{"success", "1"}}},
		{"drift-success-null", true, []change{{"success", "null"}}},
		{"drift-success-absent", true, []change{{"success", ""}}},
	}
}
