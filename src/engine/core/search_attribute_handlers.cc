#include "engine/search_attribute_handlers.h"

#include <map>

#include "engine/errors.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "visibility/attributes.h"

namespace holdfast::engine {

Status SearchAttributeHandlers::check(const std::string& name, int type,
                                      const Namespaces::Record& record) const {
  if (name.empty()) return errors::invalid("Search attribute name is not set on request.");
  if (name.size() > limits_.search_attribute_name_bytes) {
    return errors::invalid("Search attribute name length exceeds limit of " +
                           std::to_string(limits_.search_attribute_name_bytes) + " bytes.");
  }
  if (visibility::is_reserved(name))
    return errors::invalid("Search attribute " + name + " is reserved by system.");
  if (type == enums::INDEXED_VALUE_TYPE_UNSPECIFIED) {
    return errors::invalid(
        "Unable to create search attributes: cannot have more than 0 search attribute of type Unspecified.");
  }
  if (!visibility::attribute_type(static_cast<enums::IndexedValueType>(type)))
    return errors::invalid("Unknown search attribute type: " + std::to_string(type) + ".");
  const auto known = record.search_attributes().find(name);
  if (known != record.search_attributes().end() && known->second != type)
    return Status(Code::kAlreadyExists, "Search attribute " + name + " already exists.");
  return Status();
}

void SearchAttributeHandlers::add(Call& call, const ops::AddSearchAttributesRequest& request,
                                  const Namespaces::Record& record) {
  if (request.search_attributes().empty())
    return replies_.send(call, errors::invalid("SearchAttributes are not set on request."));
  Namespaces::Record changed = record;
  auto& registered = *changed.mutable_search_attributes();
  const std::map<std::string, int> wanted(request.search_attributes().begin(),
                                          request.search_attributes().end());
  for (const auto& [name, type] : wanted) {
    if (Status wrong = check(name, type, record); !wrong.ok()) return replies_.send(call, std::move(wrong));
    registered[name] = static_cast<enums::IndexedValueType>(type);
  }
  if (registered.size() > record.search_attributes().size()) {
    if (registered.size() > limits_.registered_search_attributes) {
      return replies_.send(
          call,
          errors::invalid("Unable to create search attributes: cannot have more than " +
                          std::to_string(limits_.registered_search_attributes) + " search attributes."));
    }
    namespaces_.update(std::move(changed));
  }
  replies_.send(call, std::make_unique<ops::AddSearchAttributesResponse>());
}

void SearchAttributeHandlers::remove(Call& call, const ops::RemoveSearchAttributesRequest& request,
                                     const Namespaces::Record& record) {
  if (request.search_attributes().empty())
    return replies_.send(call, errors::invalid("SearchAttributes are not set on request."));
  Namespaces::Record changed = record;
  for (const std::string& name : request.search_attributes()) {
    if (visibility::system_attribute(name) || visibility::predefined_attribute(name)) {
      return replies_.send(call,
                           errors::invalid("Unable to remove non-custom search attributes: " + name + "."));
    }
    changed.mutable_search_attributes()->erase(name);
  }
  if (changed.search_attributes().size() != record.search_attributes().size())
    namespaces_.update(std::move(changed));
  replies_.send(call, std::make_unique<ops::RemoveSearchAttributesResponse>());
}

void SearchAttributeHandlers::list(Call& call, const ops::ListSearchAttributesRequest&,
                                   const Namespaces::Record& record) {
  auto response = std::make_unique<ops::ListSearchAttributesResponse>();
  *response->mutable_custom_attributes() = record.search_attributes();
  auto& system = *response->mutable_system_attributes();
  for (const auto* all : {&visibility::system_attributes(), &visibility::predefined_attributes()}) {
    for (const auto& [name, type] : *all) system[std::string(name)] = visibility::indexed_value_type(type);
  }
  replies_.send(call, std::move(response));
}

void SearchAttributeHandlers::keys(Call& call, const ws::GetSearchAttributesRequest&) {
  auto response = std::make_unique<ws::GetSearchAttributesResponse>();
  auto& keys = *response->mutable_keys();
  for (const auto* all : {&visibility::system_attributes(), &visibility::predefined_attributes()}) {
    for (const auto& [name, type] : *all) keys[std::string(name)] = visibility::indexed_value_type(type);
  }
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
