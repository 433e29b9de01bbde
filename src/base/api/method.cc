#include "api/method.h"

#include <array>
#include <unordered_map>

#include "api/messages.h"
#include "api/operator_messages.h"

namespace holdfast::api {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames = {
#define HOLDFAST_METHOD(name) #name,
    HOLDFAST_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
};

std::string_view service_name(Method method) {
  switch (method) {
#define HOLDFAST_METHOD(name) case Method::k##name:
    HOLDFAST_OPERATOR_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
    return kOperatorServiceName;
    default: return kServiceName;
  }
}

}  // namespace

std::string_view method_name(Method method) {
  return kNames[static_cast<std::size_t>(method)];
}

const std::string& method_path(Method method) {
  static const auto* const paths = [] {
    auto* all = new std::array<std::string, kMethodCount>;
    for (std::size_t i = 0; i < kMethodCount; ++i) {
      (*all)[i] = "/" + std::string(service_name(static_cast<Method>(i))) + "/" + std::string(kNames[i]);
    }
    return all;
  }();
  return (*paths)[static_cast<std::size_t>(method)];
}

std::optional<Method> method_by_path(std::string_view path) {
  static const auto* const index = [] {
    auto* map = new std::unordered_map<std::string_view, Method>;
    for (std::size_t i = 0; i < kMethodCount; ++i)
      map->emplace(method_path(static_cast<Method>(i)), static_cast<Method>(i));
    return map;
  }();
  const auto found = index->find(path);
  if (found == index->end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> name_in_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || !is_service(path.substr(1, slash - 1)))
    return std::nullopt;
  return path.substr(slash + 1);
}

bool is_service(std::string_view name) {
  return name == kServiceName || name == kOperatorServiceName;
}

bool is_long_poll(Method method) {
  return method == Method::kPollWorkflowTaskQueue || method == Method::kPollActivityTaskQueue ||
         method == Method::kPollNexusTaskQueue || method == Method::kPollWorkflowExecutionUpdate ||
         method == Method::kUpdateWorkflowExecution || method == Method::kGetWorkflowExecutionHistory;
}

std::unique_ptr<google::protobuf::Message> new_request(Method method) {
  switch (method) {
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ws::name##Request>();
    HOLDFAST_WORKFLOW_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ops::name##Request>();
    HOLDFAST_OPERATOR_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  }
  return nullptr;
}

std::unique_ptr<google::protobuf::Message> new_response(Method method) {
  switch (method) {
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ws::name##Response>();
    HOLDFAST_WORKFLOW_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
#define HOLDFAST_METHOD(name) \
  case Method::k##name: return std::make_unique<ops::name##Response>();
    HOLDFAST_OPERATOR_METHODS(HOLDFAST_METHOD)
#undef HOLDFAST_METHOD
  }
  return nullptr;
}

}  // namespace holdfast::api
