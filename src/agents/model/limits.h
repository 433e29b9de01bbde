#pragma once

// Limits: what the operator lets a provider's key be used for, by all runs of a process together. Not in the
// hands of who defines an agent. Values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::model {

inline constexpr std::size_t kMaxLimits = 256;
// Of a key that no limit names.
inline constexpr std::size_t kDefaultConcurrency = 50;

// Whose call it is: the name of the key's variable, the host, and the model.
struct KeyUse {
  std::string key;   // empty: none is sent
  std::string host;  // with its port, where the address has one
  std::string model;
};
// The host of an address as KeyUse has it.
std::string host_of(std::string_view url);

struct Limit {
  // What it is about; empty: any.
  std::string key;
  std::string host;
  std::string model;
  // 0: no limit.
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::size_t concurrency = kDefaultConcurrency;

  bool is_about(const KeyUse& use) const;
  std::string name() const;
};

struct Limits {
  std::vector<Limit> list;  // the first that is about a call decides; what it is about shares it
  std::size_t concurrency = kDefaultConcurrency;  // of each key at each host that none is about
};

}  // namespace holdfast::model
