#include "openai/ids.h"

#include "runs/runs.h"

namespace holdfast::openai {

namespace {

constexpr std::string_view kResponse = "resp_";
constexpr std::string_view kCompletion = "chatcmpl-";

}  // namespace

std::string response_id(std::string_view run) {
  return std::string(kResponse).append(run);
}

std::string completion_id(std::string_view run) {
  return std::string(kCompletion).append(run);
}

std::optional<std::string> run_of_response(std::string_view id) {
  if (!id.starts_with(kResponse)) return std::nullopt;
  id.remove_prefix(kResponse.size());
  if (!runs::is_valid_run_id(id)) return std::nullopt;
  return std::string(id);
}

}  // namespace holdfast::openai
