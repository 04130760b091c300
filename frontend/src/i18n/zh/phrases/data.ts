import type { DataPhrase } from "@/i18n/phrases.gen";

export const data: Record<DataPhrase, string> = {
  "The archive's entries overlap.": "压缩包中的条目相互重叠。",
  "Column {} has more than {} different values, which is too many for a category. Read it as text or ids, or ignore it.":
    "列 {} 有 {} 个以上不同的取值，不适合作类别。请将其读作文本或编号，或忽略此列。",
  "Column {} has more than {} classes, or labels of more than 200 characters. Make another column the target, or read it as a number.":
    "列 {} 的类别超过 {} 个，或有标签超过 200 个字符。请将其他列设为目标，或将此列读作数值。",
  " What was sent is still there: {}.": "上传的原文件仍在：{}。",
  "A file of this data set is damaged or cannot be read: {}. Upload the data set again under the same name, or delete it.{}":
    "此数据集的一个文件已损坏或无法读取：{}。请以相同的名称重新上传数据集，或将其删除。{}",
  "{} is not in {} and could not be downloaded: {}. Put its files there, as torchvision lays them out, and try again.":
    "{} 不在 {} 中，且无法下载：{}。请按 torchvision 的目录结构将其文件放在该处，然后重试。",
  "{} is not in {}, and downloads are switched off. Put its files there, as torchvision lays them out, or start without --no-downloads and LAYERLOOM_NO_DOWNLOADS.":
    "{} 不在 {} 中，且下载已关闭。请按 torchvision 的目录结构将其文件放在该处，或在启动时不使用 --no-downloads 和 LAYERLOOM_NO_DOWNLOADS。",
  "The folder has no split {}; it has {}.": "该文件夹中没有名为 {} 的划分；现有：{}。",
  "The folder is not divided, so that there is no split {}.": "该文件夹未作划分，因此没有名为 {} 的划分。",
  "The folder holds no data set. Give what save_to_disk wrote, or a folder of .parquet or .arrow files.":
    "该文件夹中没有数据集。请指定由 save_to_disk 写出的文件夹，或包含 .parquet 或 .arrow 文件的文件夹。",
  "{} has other columns than {}.": "{} 的列与 {} 不同。",
  "The folder's files have no rows.": "该文件夹中的文件没有任何数据行。",
  "{} is no name of the Hub, as in stanfordnlp/imdb. Add a folder by `layerloom data add`.":
    "{} 不是 Hub 上的名称（名称形如 stanfordnlp/imdb）。要添加文件夹，请用 `layerloom data add`。",
  "Data sets of the Hub are read by Hugging Face's library: pip install 'layerloom[hub]'":
    "读取 Hub 上的数据集需要 Hugging Face 的库：pip install 'layerloom[hub]'",
  "{} (split {}) could not be had from the Hub: {}": "无法从 Hub 获取 {}（划分 {}）：{}",
  '{} could not be had: {} is not reached from here ({}). Where there is a network, keep it by `datasets.load_dataset("{}").save_to_disk("folder")`, bring the folder here, and add it by `layerloom data add folder`. Of what was downloaded here before, set HF_HUB_OFFLINE=1.':
    '无法获取 {}：从本机无法访问 {}（{}）。请在有网络的机器上用 `datasets.load_dataset("{}").save_to_disk("folder")` 保存，将该文件夹复制到本机，再用 `layerloom data add folder` 添加。若此前已在本机下载过，请设置 HF_HUB_OFFLINE=1。',
  "Reading the file takes more memory or time than one upload may. Split it, or send .npz in place of .csv.":
    "读取此文件所需的内存或时间超出了单次上传的限制。请拆分文件，或将 .csv 改为 .npz 上传。",
  "The file cannot be read.": "无法读取此文件。",
  "Array {} cannot be read: it does not begin as an .npy file does.": "无法读取数组 {}：开头不符合 .npy 格式。",
  "Array {} cannot be read: its header is not that of a plain array.": "无法读取数组 {}：其文件头不属于普通数组。",
  "Array {} cannot be read: its shape is not a list of at most {} sizes.":
    "无法读取数组 {}：其形状不是最多含 {} 个尺寸的列表。",
  "Array {} cannot be read: its header names an unknown type.": "无法读取数组 {}：其文件头中的类型未知。",
  "Array {} holds {}; only whole numbers, floats and booleans are read.":
    "数组 {} 的类型是 {}；只能读取整数、浮点数和布尔值。",
  " All samples have the same label: there is nothing to tell apart.": "所有样本的标签相同，没有可以区分的内容。",
  "Its tensors take {} bytes; at most {} are kept.": "其张量占 {} 字节；最多保存 {} 字节。",
  "Its tensors take {} bytes, {} times the file; at most {} are kept of a file of this size. Save arrays with numpy.savez, uncompressed, and turn text into numbers.":
    "其张量占 {} 字节，是文件的 {} 倍；对于此大小的文件，最多保存 {} 字节。请用 numpy.savez 保存数组且不压缩，并将文本转换为数值。",
  "The file is empty.": "文件为空。",
  "Row {} has {} cells where the first has {}.": "第 {} 行有 {} 个单元格，而第一行有 {} 个。",
  "The file begins as {} and goes on otherwise. Save it as UTF-8.": "文件开头是 {} 编码，后面却不是。请以 UTF-8 保存。",
  "The file contains NUL bytes: it is not a text table. Save it as UTF-8.":
    "文件包含 NUL 字节，不是文本表格。请以 UTF-8 保存。",
  "The table has a line of more than {} characters.": "表格中有一行超过 {} 个字符。",
  "Row {} cannot be read: {}.": "无法读取第 {} 行：{}。",
  "The archive holds no image that can be read, in a folder that names its class.":
    "压缩包中没有可以读取的图像；图像须放在以类别命名的文件夹中。",
  "None of the archive's images can be decoded.": "压缩包中的图像都无法解码。",
  "The archive has {} classes; at most {} are read.": "压缩包有 {} 个类别；最多读取 {} 个。",
  "{} images of {} classes.": "{} 张图像，{} 个类别。",
  "v2.Lambda(lambda image: image.convert({}))": "v2.Lambda(lambda image: image.convert({}))",
  "v2.Lambda(lambda image: {}(image, ({}, {}), Image.Resampling.BILINEAR))":
    "v2.Lambda(lambda image: {}(image, ({}, {}), Image.Resampling.BILINEAR))",
  "The file is no .zip archive, whatever its name says.": "此文件不是 .zip 压缩包，与其名称不符。",
  "The file is no readable .zip archive": "此文件不是可以读取的 .zip 压缩包",
  "The archive ends early; send it whole.": "压缩包不完整；请上传完整的文件。",
  "The archive lists {} files; at most {} are read. Send it in parts.":
    "压缩包列有 {} 个文件；最多读取 {} 个。请分成几部分上传。",
  "The archive unpacks to {} bytes, {} times its size.": "压缩包解压后有 {} 字节，是其大小的 {} 倍。",
  "The images take {} bytes in this size; at most {} are kept of a file like this. Choose a smaller size.":
    "图像在此尺寸下占 {} 字节；对于这样的文件，最多保存 {} 字节。请选择更小的尺寸。",
  "{} samples; inputs {}; predicts {}.": "{} 个样本；输入：{}；预测 {}。",
  "The archive has no array {}.": "NPZ 文件中没有数组 {}。",
  "Array {} cannot be read as {}. It can be {}.": "数组 {0} 不能读作{1:word}，可读作{2:word}。",
  "Exactly one array must be the target, named one of {}; found {}.":
    "必须恰有一个数组是目标，名称为以下之一：{}；找到的是 {}。",
  "No array is a feature. Choose what to predict the target from.": "没有数组用作特征。请选择用哪些数组来预测目标。",
  "The file is no .npz archive, whatever its name says.": "此文件不是 NPZ 文件，与其名称不符。",
  "The file is no readable .npz archive": "此文件不是可以读取的 NPZ 文件",
  "The archive holds {} files; at most {} arrays are read.": "NPZ 文件中有 {} 个文件；最多读取 {} 个数组。",
  "The archive holds something else than .npy arrays.": "NPZ 文件中有 .npy 数组以外的内容。",
  "The archive holds {} arrays; inputs and a target are needed.": "NPZ 文件中有 {} 个数组；需要输入和一个目标。",
  "The archive holds two arrays of one name.": "NPZ 文件中有两个同名的数组。",
  "An array's name has up to {} characters and none of / \\ :, and begins with no dot.":
    "数组名最多 {} 个字符，不能含有 / \\ :，且不能以点开头。",
  "Array {} is encrypted; save it without a password.": "数组 {} 已加密；请不设密码重新保存。",
  "Array {} is packed in another way than numpy does.": "数组 {} 的压缩方式与 numpy 不同。",
  "Array {} cannot be read": "无法读取数组 {}",
  "Array {} claims {} bytes and has {}.": "数组 {} 声明有 {} 字节，实际有 {} 字节。",
  "Array {} has {} bytes in Fortran order, of which at most {} are read. Save it as numpy.ascontiguousarray gives it.":
    "数组 {} 以 Fortran 顺序存储，有 {} 字节；这种顺序最多读取 {} 字节。请先用 numpy.ascontiguousarray 转换，再保存。",
  "All arrays need the same number of samples on their first axis; they have {}.":
    "所有数组的第一个轴必须有相同的样本数；现为 {}。",
  "The samples of array {} hold no values; its shape is {}.": "数组 {} 的样本不含任何值；其形状为 {}。",
  "Class numbers come one per sample; array {} has the shape {}.": "每个样本应有一个类别编号；数组 {} 的形状为 {}。",
  "Class numbers go from 0 to {}; array {} has {} to {}.": "类别编号须在 0 到 {} 之间；数组 {} 的取值为 {} 到 {}。",
  "Array {} holds NaN, infinite values or such as are beyond a float32.":
    "数组 {} 含有 NaN、无穷大或超出 float32 范围的值。",
  "Array {} holds whole numbers beyond an int64.": "数组 {} 含有超出 int64 范围的整数。",
  "Array {} ends before its last element.": "数组 {} 在最后一个元素之前就结束了。",
  "The file has no column of numbers or texts: lists and structures are not read.":
    "文件中没有数值列或文本列：不读取列表和结构。",
  "The table has {} rows of {} columns; at most {} cells are read.": "表格有 {} 行 {} 列；最多读取 {} 个单元格。",
  "The file is no {} that can be read: {}": "文件不是可以读取的 {}：{}",
  "The file is no {} file, whatever its name says.": "此文件不是 {} 文件，与其名称不符。",
  "The text has {} tokens, which is less than two samples of {}. Shorten the samples, or send more text.":
    "文本有 {} 个词元，不足两个长度为 {} 的样本。请缩短样本，或上传更多文本。",
  "{} {} in windows of {}; every position is to predict the next one.":
    "{0} 个{1:word}，窗口长度为 {2}；每个位置都要预测下一个。",
  "{} refuses images of {}: {}": "{} 不接受 {} 的图像：{}",
  "Images come out in several sizes ({}). Add a transform to the end that makes them equal, such as a crop.":
    "变换后的图像尺寸不一（{}）。请在末尾添加使尺寸一致的变换，例如裁剪。",
  "What comes out are no images of floats but {} of {} axes.": "变换的结果不是浮点图像，而是有 {1} 个轴的 {0}。",
  "Images come out in another size each time. Add a crop, or another resize.":
    "变换后的图像尺寸每次都不同。请添加裁剪，或换用其他缩放方式。",
  "There is no transform named {}.": "没有名为 {} 的变换。",
  "{} draws random numbers, and validation has to see the same images every time. Use it for training only.":
    "{} 会抽取随机数，而验证每次都必须使用相同的图像。请只将它用于训练。",
  "each by lot": "每张图像随机决定",
  "The data are larger than the memory that is free for them: they are read from disk as they come.":
    "数据大于可用的内存，将在使用时从磁盘读取。",
  "Missing values are filled with the training part's mean.": "缺失值用训练集均值填充。",
  "Features are scaled by the training part's mean and deviation.": "特征按训练集的均值和标准差缩放。",
  "Images are transformed: {} for training, {} for validation.": "图像会经过变换。训练：{0:word}；验证：{1:word}。",
  "Input {} takes ids below {}, and {} has up to {}. Give the Embedding as many rows and set the input's ids, or give the data a smaller vocabulary.":
    "输入 {0} 接受小于 {1} 的编号，而 {2} 有多达 {3} 个编号。请让 Embedding 有同样多的行，并修改输入的取值上限，或缩小数据的词表。",
  "The network's inputs are {}; {} gives {}. Name the inputs after the data's arrays, or choose another data set.":
    "网络的输入：{0:word}；{1} 提供：{2}。请按数据中的数组命名输入，或换用其他数据集。",
  "Input {}: samples of {} are read as {}.": "输入 {}：形状为 {} 的样本按形状 {} 读取。",
  "Transforms take data with one input of images. Leave them out, or choose other data.":
    "变换要求数据中恰有一个图像输入。请不使用变换，或换用其他数据。",
  "After the transforms for {}: {}": "{0:word}用的变换之后：{1}",
  "Input {} expects {}, and the data are {}. Change the input's type, or choose another data set.":
    "输入 {} 需要 {}，而数据是 {}。请更改输入的数据类型，或换用其他数据集。",
  "Input {} expects samples of {}, and the data give {}. Set the input's shape to {}, or choose another data set.":
    "输入 {} 需要形状为 {} 的样本，而数据提供 {}。请将输入的形状设为 {}，或换用其他数据集。",
  "one number": "单个数值",
  "The training part has {} tokens with padding and unknown; of the validation part {} are unknown.":
    "训练集的词表有 {} 个词元（含填充和未知）；验证集中有 {} 的词元未知。",
  "There is no such data set.{}": "没有这个数据集。{}",
  "A data set of that name is built in; choose another name.": "已有同名的自带数据集；请换一个名称。",
  "The {} samples cannot be divided with {} for validation: {}": "无法从 {} 个样本中划出 {} 用于验证：{}",
  "The table has {} columns; at most {} are read.": "表格有 {} 列；最多读取 {} 列。",
  "{} names a column with more than {} characters.": "{}中有列名超过 {} 个字符。",
  "{} names {} more than once.": "{}中的列名 {} 重复。",
  "A table needs at least one feature column beside the target.": "除目标外，表格至少需要一个特征列。",
  "The file has a header and no rows.": "文件只有表头，没有数据行。",
  "No row can be used: {}. Ignore that column, or read it as another kind.":
    "没有可用的行：{}。请忽略该列，或将其读作其他类型。",
  "It can be {}.": "可读作{0:word}。",
  "Save its parts as columns of their own.": "请将其各部分另存为单独的列。",
  "Column {} cannot be read as {}. {}": "列 {0} 不能读作{1:word}。{2}",
  "The table has no column {}.": "表格中没有列 {}。",
  "One column of text can be read, and {} are chosen. Ignore one of them.":
    "只能读取一个文本列，而选择了 {}。请忽略其中一个。",
  "A target is a number or a category, and column {} is read as {}.": "目标须是数值或类别，而列 {0} 读作{1:word}。",
  "No column is the target. Choose what is to be predicted.": "没有列用作目标。请选择要预测的列。",
  "No column is a feature. Choose what to predict the target from.": "没有列用作特征。请选择用哪些列来预测目标。",
  "Several targets have to be numbers, all of them. Leave one category, or read them as numbers.":
    "有多个目标时，它们必须都是数值。请只保留一个类别目标，或将它们都读作数值。",
  "column {} has {} rows of which it is said: {}": "列 {0} 有 {1} 行{2:word}",
  "texts of {} tokens": "长度为 {} 个词元的文本",
  "{} rows, {}; predicts {} in column {}.{}": "{0} 行，{1}；预测列 {3} 中的{2:word}。{4}",
  "v2.ToDtype(torch.float32, scale=True)": "v2.ToDtype(torch.float32, scale=True)",
  "Transforms take images, channels first; samples of {} are {} of {}. Leave the transforms out, or choose images.":
    "变换只接受通道在前的图像；{0} 的样本形状为 {1}，类型为 {2}。请不使用变换，或换用图像数据。",
  "These transforms take more memory or time than there is for a few images. Make sizes and counts smaller.":
    "这些变换处理少量图像所需的内存或时间就已超出限制。请减小尺寸和数量。",
  "The transforms cannot be used: {}": "无法使用这些变换：{}",
  "A data set's name is made of small letters, digits, hyphens and underscores, at most 63.":
    "数据集名称由小写字母、数字、连字符和下划线组成，最多 63 个字符。",
  "Upload one of {}.": "请上传以下类型之一：{}。",
  "The file of this data set was not kept, so that it cannot be read anew. Upload it again.":
    "此数据集的原文件未保留，无法重新读取。请重新上传。",
  "The data set was deleted or replaced just now; try again.": "此数据集刚刚被删除或替换；请重试。",
  "Row {}": "第 {} 行",
  " {} rows are left out.": "舍弃 {} 行。",
  " {} files are left out.": "略去 {} 个文件。",
  "column {}": "列 {}",
  "{} images for {}": "{1:word}集 {0} 张",
  "{} features": "{} 个特征",
};
