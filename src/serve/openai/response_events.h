#pragma once

// ResponseEvents: a run as the events of a Responses stream, numbered from 0. They follow from the log alone,
// so whoever comes back with the number that it saw last gets the ones behind it, also from another process.
// Not thread-safe.

#include <cstdint>
#include <optional>
#include <string>

#include "openai/response_json.h"
#include "openai/run_fold.h"

namespace holdfast::openai {

class ResponseEvents {
 public:
  // `after`: those up to that number are left out.
  ResponseEvents(ResponseHead head, std::optional<std::uint64_t> after)
      : head_(std::move(head)), after_(after) {}

  // What comes before anything has happened; `run` is new.
  void begin(std::string& out, const RunFold& run);
  void write(std::string& out, const RunFold& run, const Happening& happening);

 private:
  void event(std::string& out, std::string_view type, Json fields);
  void lifecycle(std::string& out, std::string_view type, const RunFold& run);
  void item_began(std::string& out, const RunFold& run, std::size_t at);
  void item_ended(std::string& out, const RunFold& run, std::size_t at);
  // Of a part of the item.
  Json place(const Item& item, std::size_t at) const;

  const ResponseHead head_;
  const std::optional<std::uint64_t> after_;
  std::uint64_t next_ = 0;
};

}  // namespace holdfast::openai
