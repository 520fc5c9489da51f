#include "data/detail/stored_detections.hpp"

namespace kirchnet {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

void write_detections(OutputGroup group, const std::vector<StoredDetection>& detections) {
    std::vector<std::uint64_t> image;
    std::vector<std::int32_t> label;
    std::vector<float> confidence;
    std::vector<float> box;
    for (const StoredDetection& one : detections) {
        image.push_back(one.image);
        label.push_back(one.label);
        confidence.push_back(one.confidence);
        box.insert(box.end(), {one.box.left, one.box.top, one.box.right, one.box.bottom});
    }
    group.write("image", image, "index", Storage::packed);
    group.write("class", label, "class", Storage::packed);
    group.write("confidence", confidence, "1");
    group.write("box", {detections.size(), 4}, std::span<const float>(box), "1");
}

std::vector<StoredDetection> read_detections(const InputGroup& parent, const std::string& name) {
    if (!parent.has(name)) return {};
    const InputGroup group = parent.group(name);
    const auto image = group.read_vector<std::uint64_t>("image");
    const auto label = group.read_vector<std::int32_t>("class");
    const auto confidence = group.read_vector<float>("confidence");
    const auto box = group.read<float>("box", 2);
    if (label.size() != image.size() || confidence.size() != image.size() ||
        box.shape != hdf5::Shape{image.size(), 4})
        group.fail("box", "does not have a row per image index, class and confidence");
    std::vector<StoredDetection> detections;
    for (std::size_t i = 0; i < image.size(); ++i) {
        const float* const sides = box.values.data() + 4 * i;
        detections.push_back(
            {image[i], label[i], confidence[i], {sides[0], sides[1], sides[2], sides[3]}});
    }
    return detections;
}

}  // namespace kirchnet
