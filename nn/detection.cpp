// YOLO (Redmon and Farhadi, YOLOv3, arXiv:1804.02767, section 2.1): a cell (x, y) of a map of
// W x H cells and an anchor of a x b pixels give with the map's values t the box
//   centre  ((x + s σ(t_x) - (s - 1) / 2) / W,  (y + s σ(t_y) - (s - 1) / 2) / H)
//   size    (a exp(t_w) / input width,  b exp(t_h) / input height)
// and for every class k the confidence σ(t_objectness) σ(t_k). s is `scale_xy` (YOLOv4).
#include "nn/detection.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>

namespace kirchnet {
namespace {

constexpr float right_overlap = 0.5F;      // of a box with the object it shall enclose
constexpr float shown_confidence = 0.25F;  // darknet's threshold for drawing a box
constexpr std::size_t channels_before_classes = 5;

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

bool is_more_confident(const Detection& a, const Detection& b) {
    return a.confidence > b.confidence;
}

float area(const BoundingBox& box) {
    return std::max(box.right - box.left, 0.0F) * std::max(box.bottom - box.top, 0.0F);
}

/// The values of one cell and anchor: `value(k)` is the k-th of its channels.
class CellValues {
  public:
    CellValues(const FeatureMaps& map, std::size_t first_channel, std::size_t pixel)
        : first_(map.channel(first_channel) + pixel), plane_(map.plane()) {}
    [[nodiscard]] float value(std::size_t k) const { return first_[k * plane_]; }

  private:
    const float* first_;
    std::size_t plane_;
};

BoundingBox box_of(const CellValues& cell, const DetectionHead& head, const AnchorBox& anchor,
                   const ImageShape& input, const ImageShape& map, std::size_t pixel) {
    const auto place = [&](std::size_t at, float t, std::size_t cells) {
        const float offset = head.scale_xy * sigmoid(t) - (head.scale_xy - 1) / 2;
        return (static_cast<float>(at) + offset) / static_cast<float>(cells);
    };
    const float x = place(pixel % map.width, cell.value(0), map.width);
    const float y = place(pixel / map.width, cell.value(1), map.height);
    const float width = anchor.width * std::exp(cell.value(2)) / static_cast<float>(input.width);
    const float height = anchor.height * std::exp(cell.value(3)) / static_cast<float>(input.height);
    return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

void add_classes(const CellValues& cell, std::size_t classes, float least, const BoundingBox& box,
                 Detections& found) {
    const float objectness = sigmoid(cell.value(4));
    for (std::size_t k = 0; k < classes; ++k) {
        const float confidence = objectness * sigmoid(cell.value(channels_before_classes + k));
        if (confidence > least) found.push_back({static_cast<std::int32_t>(k), confidence, box});
    }
}

struct Candidate {
    float confidence;
    std::size_t image;
    BoundingBox box;
};

using Objects = std::vector<std::vector<LabelledObject>>;

/// Detections of one class in all images, the most confident first.
std::vector<Candidate> candidates_of(std::int32_t label, const std::vector<Detections>& found) {
    std::vector<Candidate> candidates;
    for (std::size_t image = 0; image < found.size(); ++image)
        for (const Detection& one : found[image])
            if (one.label == label) candidates.push_back({one.confidence, image, one.box});
    std::stable_sort(
        candidates.begin(), candidates.end(),
        [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
    return candidates;
}

/// Index of the object of class `label` that `box` overlaps most, if by enough.
std::optional<std::size_t> object_under(const BoundingBox& box, std::int32_t label,
                                        const std::vector<LabelledObject>& objects) {
    std::optional<std::size_t> best;
    float most = right_overlap;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (objects[i].label != label) continue;
        const float shared = overlap(box, objects[i].box);
        if (shared > most || (!best && shared >= most)) {
            best = i;
            most = shared;
        }
    }
    return best;
}

/// Whether each candidate is right, in order.
std::vector<bool> judge(const std::vector<Candidate>& candidates, std::int32_t label,
                        const Objects& truth) {
    std::vector<std::vector<bool>> taken;
    for (const auto& objects : truth) taken.emplace_back(objects.size(), false);
    std::vector<bool> right;
    for (const Candidate& candidate : candidates) {
        const auto object = object_under(candidate.box, label, truth[candidate.image]);
        right.push_back(object && !taken[candidate.image][*object]);
        if (object) taken[candidate.image][*object] = true;
    }
    return right;
}

/// Σ over right detections of (1 / objects) times the best precision from there on.
double area_under_curve(const std::vector<bool>& right, std::size_t objects) {
    std::vector<double> precision;
    double hits = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        hits += right[i] ? 1 : 0;
        precision.push_back(hits / static_cast<double>(i + 1));
    }
    double best = 0;
    double area = 0;
    for (std::size_t i = right.size(); i-- > 0;) {
        best = std::max(best, precision[i]);
        if (right[i]) area += best / static_cast<double>(objects);
    }
    return area;
}

Detections shown(const Detections& found) {
    Detections result;
    std::copy_if(found.begin(), found.end(), std::back_inserter(result),
                 [](const Detection& one) { return one.confidence >= shown_confidence; });
    return result;
}

/// How many of `a` have a partner of their own in `b`; the most confident choose first.
std::size_t count_pairs(const Detections& a, Detections b) {
    std::size_t pairs = 0;
    for (const Detection& one : a) {
        auto best = b.end();
        float most = right_overlap;
        for (auto other = b.begin(); other != b.end(); ++other)
            if (const float shared = overlap(one.box, other->box);
                other->label == one.label && shared >= most) {
                best = other;
                most = shared;
            }
        if (best == b.end()) continue;
        b.erase(best);
        ++pairs;
    }
    return pairs;
}

}  // namespace

float overlap(const BoundingBox& a, const BoundingBox& b) {
    const BoundingBox shared{std::max(a.left, b.left), std::max(a.top, b.top),
                             std::min(a.right, b.right), std::min(a.bottom, b.bottom)};
    const float both = area(shared);
    const float either = area(a) + area(b) - both;
    return either > 0 ? both / either : 0;
}

Detections decode(const DetectionHead& head, std::size_t classes, const ImageShape& input,
                  const FeatureMaps& map, std::size_t image, float least_confidence) {
    Detections found;
    const std::size_t pixels = map.shape.height * map.shape.width;
    for (std::size_t i = 0; i < head.anchors.size(); ++i)
        for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
            const CellValues cell(map, i * (channels_before_classes + classes),
                                  image * pixels + pixel);
            if (!(sigmoid(cell.value(4)) > least_confidence)) continue;
            const BoundingBox box = box_of(cell, head, head.anchors[i], input, map.shape, pixel);
            add_classes(cell, classes, least_confidence, box, found);
        }
    return found;
}

Detections suppress_overlaps(Detections found, float largest_overlap) {
    std::stable_sort(found.begin(), found.end(), is_more_confident);
    std::map<std::int32_t, std::vector<BoundingBox>> kept_boxes;  // by class
    Detections kept;
    for (const Detection& one : found) {
        std::vector<BoundingBox>& boxes = kept_boxes[one.label];
        const bool covered = std::any_of(boxes.begin(), boxes.end(), [&](const BoundingBox& box) {
            return overlap(box, one.box) > largest_overlap;
        });
        if (covered) continue;
        boxes.push_back(one.box);
        kept.push_back(one);
    }
    return kept;
}

Detections find_objects(const Network& network, const std::vector<const FeatureMaps*>& maps,
                        std::size_t image, const DetectionSettings& settings) {
    Detections found;
    for (std::size_t i = 0; i < network.heads.size(); ++i) {
        const Detections more = decode(network.heads[i], network.detection_classes, network.input,
                                       *maps[i], image, settings.least_confidence);
        found.insert(found.end(), more.begin(), more.end());
    }
    return suppress_overlaps(std::move(found), settings.largest_overlap);
}

double mean_average_precision(const std::vector<Detections>& found, const Objects& truth) {
    std::map<std::int32_t, std::size_t> objects;  // by class
    for (const auto& of_image : truth)
        for (const LabelledObject& object : of_image) ++objects[object.label];
    double sum = 0;
    for (const auto& [label, count] : objects)
        sum += area_under_curve(judge(candidates_of(label, found), label, truth), count);
    return objects.empty() ? 0 : sum / static_cast<double>(objects.size());
}

double detection_agreement(const std::vector<Detections>& a, const std::vector<Detections>& b) {
    std::size_t pairs = 0;
    std::size_t all = 0;
    for (std::size_t image = 0; image < a.size(); ++image) {
        const Detections first = shown(a[image]);
        const Detections second = shown(b[image]);
        pairs += count_pairs(first, second);
        all += first.size() + second.size();
    }
    return all == 0 ? 1 : 2 * static_cast<double>(pairs) / static_cast<double>(all);
}

}  // namespace kirchnet
