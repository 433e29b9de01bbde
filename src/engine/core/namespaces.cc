#include "engine/namespaces.h"

#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

Status Namespaces::load(const store::KvStore& store) {
  bool sound = true;
  Status scanned = store.scan(keys::table_begin(keys::kStoreWide, keys::kNamespaceTable),
                              keys::table_end(keys::kStoreWide, keys::kNamespaceTable),
                              [&](std::string_view key, std::string_view value) {
                                Record record;
                                // A record that cannot be read would look like a namespace that was never
                                // there.
                                sound = record.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
                                        key == keys::namespace_record(record.name());
                                if (sound) remember(std::move(record));
                                return sound;
                              });
  if (!scanned.ok() || sound) return scanned;
  return {Code::kDataLoss, "A namespace's record cannot be read; restore the data directory from a backup."};
}

void Namespaces::add(Record record) {
  rows_.put(keys::namespace_record(record.name()), history::serialize(record));
  remember(std::move(record));
}

void Namespaces::update(Record record) {
  add(std::move(record));
}

void Namespaces::remember(Record record) {
  names_[record.id()] = record.name();
  std::string name = record.name();
  by_name_[std::move(name)] = std::move(record);
}

const Namespaces::Record* Namespaces::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const Namespaces::Record* Namespaces::find_by_id(const std::string& id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? nullptr : find(found->second);
}

const std::string& Namespaces::name_of(const std::string& id) const {
  static const std::string kNone;
  const auto found = names_.find(id);
  return found == names_.end() ? kNone : found->second;
}

}  // namespace holdfast::engine
