#pragma once

// Images and files within a message, in the neutral form that each format's own is made from:
//
//   {"type":"image","media_type":"image/png","data":"<base64>"}      or "url":"https://..." in place of data
//   {"type":"file","media_type":"application/pdf","name":"a.pdf","data":"<base64>"}      or "url"
//
// A part that a provider's own members make something else (`source`, `file`, `image_url`) is none of these
// and goes out as it was stored. Pure.

#include <optional>
#include <string>
#include <vector>

#include "model/message.h"

namespace holdfast::model {

struct Media {
  Media() = default;
  bool image = false;
  std::string media_type;  // of the data; with a URL it may be empty
  std::string name;        // file: empty: none was given
  std::string data;        // base64; empty: there is a URL
  std::string url;

  // As one text: the URL, or the data as one.
  std::string as_url() const;
};

// None: the part is no image and no file. INVALID_ARGUMENT: it wants to be one and is not.
Result<std::optional<Media>> media_of(const Part& part);

// That every image and file is one, and one that `takes` says yes to.
Status check_media(const std::vector<Message>& messages, Status (*takes)(const Media& media));

}  // namespace holdfast::model
