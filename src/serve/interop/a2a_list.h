#pragma once

// A2A's list of tasks: the runs of an agent or of all, or those of a context, newest first. A page may be
// short, or empty, with more behind it: one request looks at kMostLooked runs. Blocks on the store.

#include <expected>
#include <string_view>

#include "interop/a2a_json.h"
#include "interop/json_rpc.h"

namespace holdfast::interop {

inline constexpr std::uint32_t kMaxTaskPage = 100;
inline constexpr std::uint32_t kMostLooked = 1000;
// Of a context, whose runs are read one by one. A longer one says that there are so many.
inline constexpr std::uint32_t kMostInContext = 200;

// `agent` without a version; empty: every agent.
std::expected<Json, RpcError> list_tasks(const Host& host, const A2aWords& words, const Json& params,
                                         std::string_view agent);

}  // namespace holdfast::interop
