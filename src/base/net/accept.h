#pragma once

// What a client wants to read, by its header Accept: a list of media ranges with weights (RFC 9110, section
// 12.5.1). Pure.

#include <string_view>

namespace holdfast::net {

struct Wanted {
  double weight = 0;   // 0: not at all, 1: before all others
  bool named = false;  // by a range that is no "*/*" and no "text/*"
};

// How much `type` ("text/event-stream") is wanted; of several ranges the narrowest counts. Without the header
// everything is. A weight that is none counts as 0, parameters of the media type itself are passed over.
Wanted wanted(std::string_view accept, std::string_view type);

// A stream of events: whether it is asked for by its name. Who takes anything would not know what to do with
// it.
bool names_event_stream(std::string_view accept);
// Of what can be a page of JSON or a stream of events: whether a stream is asked for. Who takes anything gets
// the page.
bool wants_event_stream(std::string_view accept);

}  // namespace holdfast::net
