#include "app/search_attributes.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>

#include "api/messages.h"
#include "api/operator_messages.h"
#include "visibility/attributes.h"

namespace holdfast::app {

namespace {

constexpr std::chrono::seconds kPatience{20};

Result<std::pair<std::string, visibility::AttributeType>> read(const std::string& flag) {
  const std::size_t split = flag.rfind('=');
  const auto type =
      split == std::string::npos ? std::nullopt : visibility::attribute_type(flag.substr(split + 1));
  if (split == 0 || !type) {
    return fail(Code::kInvalidArgument,
                fmt::format("--search-attribute: '{}' is not NAME=Type with a type of Text, Keyword, Int, "
                            "Double, Bool, Datetime or KeywordList",
                            flag));
  }
  return std::pair(flag.substr(0, split), *type);
}

template <typename Response, typename Request>
Result<Response> call(api::Connection& connection, api::Method method, std::unique_ptr<Request> request) {
  auto answer = std::make_shared<std::promise<Result<api::MessagePtr>>>();
  auto answered = answer->get_future();
  const auto handle =
      connection.start(method, std::move(request), {},
                       [answer](Result<api::MessagePtr> result) { answer->set_value(std::move(result)); });
  if (answered.wait_for(kPatience) != std::future_status::ready) {
    if (handle) handle->cancel();
    return fail(Code::kDeadlineExceeded, "the engine does not answer");
  }
  auto result = answered.get();
  if (!result) return fail(std::move(result.error()));
  return std::move(static_cast<Response&>(**result));
}

}  // namespace

Status check_search_attribute(const std::string& flag) {
  const auto attribute = read(flag);
  return attribute ? Status() : attribute.error();
}

Status register_search_attributes(api::Connection& connection, const std::string& namespace_name,
                                  const std::vector<std::string>& flags) {
  if (flags.empty()) return {};
  auto list = std::make_unique<ops::ListSearchAttributesRequest>();
  list->set_namespace_(namespace_name);
  const auto there = call<ops::ListSearchAttributesResponse>(connection, api::Method::kListSearchAttributes,
                                                             std::move(list));
  if (!there) return {there.error().code(), "--search-attribute: " + there.error().message()};
  auto add = std::make_unique<ops::AddSearchAttributesRequest>();
  add->set_namespace_(namespace_name);
  for (const std::string& flag : flags) {
    const auto attribute = read(flag);
    if (!attribute) return attribute.error();
    const auto& [name, type] = *attribute;
    const auto wanted = visibility::indexed_value_type(type);
    const auto known = there->custom_attributes().find(name);
    if (known == there->custom_attributes().end()) {
      (*add->mutable_search_attributes())[name] = wanted;
    } else if (known->second != wanted) {
      const auto other = visibility::attribute_type(known->second);
      return {Code::kAlreadyExists,
              fmt::format("--search-attribute: {} is registered as {}, not as {}; a type is for good, but "
                          "'temporal operator search-attribute remove' frees the name",
                          name, other ? visibility::type_name(*other) : "another type",
                          visibility::type_name(type))};
    }
  }
  if (add->search_attributes().empty()) return {};
  const auto added =
      call<ops::AddSearchAttributesResponse>(connection, api::Method::kAddSearchAttributes, std::move(add));
  return added ? Status() : Status(added.error().code(), "--search-attribute: " + added.error().message());
}

}  // namespace holdfast::app
