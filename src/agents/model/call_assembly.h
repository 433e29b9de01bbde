#pragma once

// Which call a fragment of a stream belongs to. The format says: by `index`. Servers leave it away, always
// send 0, count wrongly, give ids late, anew with each fragment or twice, and repeat names. So a fragment is
// placed by everything that it says; what cannot be placed with certainty is an error, and no call is made of
// it. Pure; one for one message.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/message.h"

namespace holdfast::model {

struct CallFragment {
  CallFragment() = default;
  std::optional<std::int64_t> index;
  std::string id;
  std::string name;
  std::string arguments;
};

class CallAssembly {
 public:
  // Whether `arguments`, as far as they have come, are a whole JSON object; each byte is looked at once.
  class Scan {
   public:
    void add(std::string_view text);
    bool whole() const { return begun_ && depth_ == 0; }
    bool begun() const { return begun_; }

   private:
    std::size_t depth_ = 0;
    bool begun_ = false;
    bool in_text_ = false;
    bool escaped_ = false;
  };

  struct Place {
    std::size_t call = 0;    // position in the message
    bool begins = false;     // a call that was not there
    std::string name;        // what its name goes on with; a new call's is whole as far as it is known
    bool was_whole = false;  // its arguments were an object before these
  };
  // None: it cannot be told which call goes on.
  std::optional<Place> place(const CallFragment& fragment);
  // The fragment begins a call: the format says so.
  Place begin(const CallFragment& fragment);

  // Ids as the message has them: given where none came, unique where one came twice.
  const std::string& id_of(std::size_t call) const { return calls_[call].id; }
  std::size_t size() const { return calls_.size(); }

 private:
  struct Open {
    std::string wire_id;
    std::string id;
    std::string name;
    Scan scan;
  };

  std::optional<std::size_t> at_index(std::int64_t index) const;
  std::optional<std::size_t> with_id(const std::string& id) const;
  // The fragment belongs to `call` unless it says otherwise.
  std::optional<Place> go_on(std::size_t call, const CallFragment& fragment);
  std::string unique_id(const std::string& wire);

  std::vector<Open> calls_;
  std::unordered_map<std::int64_t, std::size_t> at_index_;
  std::unordered_map<std::string, std::size_t> with_id_;
  std::unordered_set<std::string> ids_;
  std::unordered_map<std::string, int> uses_;
};

}  // namespace holdfast::model
