#include "core/quota.hpp"

#include "core/string_hash.hpp"

#include <mutex>
#include <unordered_map>

namespace headway {

/// Shared with the places, which may be given back when the quota is gone.
struct quota::book {
  using counts = std::unordered_map<std::string, std::size_t, string_hash, std::equal_to<>>;

  std::size_t total_max = 0;
  std::size_t per_key_max = 0;
  std::mutex mutex;
  std::size_t total = 0;
  counts by_key;
};

class quota::ticket {
public:
  explicit ticket(std::shared_ptr<book> from) : book_{std::move(from)} {}
  ~ticket() {
    if (!counted_)
      return;
    std::lock_guard lock{book_->mutex};
    --book_->total;
    if (entry_ && --entry_->second == 0)
      book_->by_key.erase(book_->by_key.find(entry_->first));
  }
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;

  /// With the lock held.
  void count(std::string_view key) {
    if (!key.empty()) {
      entry_ = &*book_->by_key.try_emplace(std::string{key}).first; // an element stays where it is
      ++entry_->second;
    }
    ++book_->total;
    counted_ = true;
  }

private:
  std::shared_ptr<book> book_;
  book::counts::value_type* entry_ = nullptr;
  bool counted_ = false;
};

quota::quota(std::size_t total_max, std::size_t per_key_max) : book_{std::make_shared<book>()} {
  book_->total_max = total_max;
  book_->per_key_max = per_key_max;
}

result<place> quota::take(std::string_view key) {
  auto made = std::make_shared<ticket>(book_);
  std::lock_guard lock{book_->mutex};
  auto it = book_->by_key.find(key);
  if (book_->per_key_max != 0 && it != book_->by_key.end() && it->second >= book_->per_key_max)
    return errc::rate_limited;
  if (book_->total_max != 0 && book_->total >= book_->total_max)
    return errc::overloaded;
  made->count(key);
  return place{std::move(made)};
}

std::size_t quota::total() const {
  std::lock_guard lock{book_->mutex};
  return book_->total;
}

std::size_t quota::total(std::string_view key) const {
  std::lock_guard lock{book_->mutex};
  auto it = book_->by_key.find(key);
  return it == book_->by_key.end() ? 0 : it->second;
}

std::size_t quota::keys() const {
  std::lock_guard lock{book_->mutex};
  return book_->by_key.size();
}

} // namespace headway
