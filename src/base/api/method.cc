#include "api/method.h"

#include <array>
#include <unordered_map>

#include "api/messages.h"

namespace holdfast::api {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames = {
#define HOLDFAST_METHOD(name) #name,
    HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
};

}  // namespace

std::string_view method_name(Method method) {
  return kNames[static_cast<std::size_t>(method)];
}

std::optional<Method> method_by_name(std::string_view name) {
  static const auto* const index = [] {
    auto* map = new std::unordered_map<std::string_view, Method>;
    for (std::size_t i = 0; i < kNames.size(); ++i) map->emplace(kNames[i], static_cast<Method>(i));
    return map;
  }();
  const auto found = index->find(name);
  if (found == index->end()) return std::nullopt;
  return found->second;
}

bool is_long_poll(Method method) {
  return method == Method::kPollWorkflowTaskQueue || method == Method::kPollActivityTaskQueue ||
         method == Method::kPollWorkflowExecutionUpdate || method == Method::kUpdateWorkflowExecution ||
         method == Method::kGetWorkflowExecutionHistory;
}

std::unique_ptr<google::protobuf::Message> new_request(Method method) {
  switch (method) {
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ws::name##Request>();
    HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  }
  return nullptr;
}

std::unique_ptr<google::protobuf::Message> new_response(Method method) {
  switch (method) {
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ws::name##Response>();
    HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  }
  return nullptr;
}

}  // namespace holdfast::api
