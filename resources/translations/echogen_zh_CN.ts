<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>, about {0} left</source>
        <translation>，大约还需 {0}</translation>
    </message>
    <message>
        <source>--update needs the archive of a newer version.</source>
        <translation>--update 需要一个新版本的压缩包。</translation>
    </message>
    <message>
        <source>100 %</source>
        <translation>100 %</translation>
    </message>
    <message>
        <source>1024 px pictures. Needs a graphics card with 8 GB or more, or patience.</source>
        <translation>1024 px 的图片。需要 8 GB 以上的显卡，或者一点耐心。</translation>
    </message>
    <message>
        <source>256 px pictures, made from published files that you have.</source>
        <translation>256 px 的图片，由您已有的公开文件生成。</translation>
    </message>
    <message>
        <source>: {0} of {1} MB</source>
        <translation>：{0} / {1} MB</translation>
    </message>
    <message>
        <source>A certificate on the way to the packages is not trusted.</source>
        <translation>下载软件包途中的某个证书不受信任。</translation>
    </message>
    <message>
        <source>A cut-out has a side from 1 to {most} pixels.</source>
        <translation>抠图的边长为 1 到 {most} 像素。</translation>
    </message>
    <message>
        <source>A cut-out is a square RGBA picture of at most {most} pixels a side.</source>
        <translation>抠图是正方形 RGBA 图片，边长最多 {most} 像素。</translation>
    </message>
    <message>
        <source>A file cannot be written.</source>
        <translation>有文件无法写入。</translation>
    </message>
    <message>
        <source>A folder on a disk with room</source>
        <translation>选择有足够空间的磁盘上的文件夹</translation>
    </message>
    <message>
        <source>A list of prompts…</source>
        <translation>提示词列表…</translation>
    </message>
    <message>
        <source>A list… draws each word of {red|blue}.</source>
        <translation>“列表…”会分别绘制 {red|blue} 中的每个词。</translation>
    </message>
    <message>
        <source>A part of the engine cannot be loaded: {error}.</source>
        <translation>引擎的一部分无法加载：{error}。</translation>
    </message>
    <message>
        <source>A photo of {width} × {height} pixels is too narrow for {title} to name what is on it.</source>
        <translation>{width} × {height} 像素的照片太窄，{title} 无法为其中的内容命名。</translation>
    </message>
    <message>
        <source>A picture of {width} × {height} pixels enlarged {factor} times has more than {most} megapixels.</source>
        <translation>{width} × {height} 像素的图片放大 {factor} 倍后超过 {most} 百万像素。</translation>
    </message>
    <message>
        <source>A picture with a region has at most {most} pixels a side.</source>
        <translation>带区域的图片边长最多 {most} 像素。</translation>
    </message>
    <message>
        <source>A prompt has at most {0} characters; the rest was left out.</source>
        <translation>提示词最多 {0} 个字符，其余部分已舍去。</translation>
    </message>
    <message>
        <source>A region is a grey mask and a picture in colours.</source>
        <translation>区域由一张灰度蒙版和一张彩色图片组成。</translation>
    </message>
    <message>
        <source>A region is drawn through all scales.</source>
        <translation>区域总是画完所有尺度。</translation>
    </message>
    <message>
        <source>A region needs the bits of all scales of its picture.</source>
        <translation>区域需要其图片所有尺度的比特。</translation>
    </message>
    <message>
        <source>A subject has at most {most} photos.</source>
        <translation>一个主体最多有 {most} 张照片。</translation>
    </message>
    <message>
        <source>A subject has {count} photos; {most} are the limit.</source>
        <translation>一个主体有 {count} 张照片，最多 {most} 张。</translation>
    </message>
    <message>
        <source>About EchoGen</source>
        <translation>关于 EchoGen</translation>
    </message>
    <message>
        <source>About {0} on this computer</source>
        <translation>在这台电脑上约 {0}</translation>
    </message>
    <message>
        <source>About {0} · subject and prompt are ready</source>
        <translation>约 {0} · 主体和提示词已就绪</translation>
    </message>
    <message>
        <source>Add a photo first</source>
        <translation>请先添加照片</translation>
    </message>
    <message>
        <source>Add a photo of one subject, write where it should be, and watch the picture form from coarse to fine.</source>
        <translation>添加一张主体的照片，写下它应该在哪里，看图片由粗到细地成形。</translation>
    </message>
    <message>
        <source>Add another photo of this…</source>
        <translation>再添加一张它的照片…</translation>
    </message>
    <message>
        <source>Address of newer versions</source>
        <translation>新版本的地址</translation>
    </message>
    <message>
        <source>All {count} scales are kept: nothing is left to draw.</source>
        <translation>全部 {count} 个尺度都已保留：没有可绘制的了。</translation>
    </message>
    <message>
        <source>Already being fetched</source>
        <translation>已在下载</translation>
    </message>
    <message>
        <source>Alt+wheel</source>
        <translation>Alt+滚轮</translation>
    </message>
    <message>
        <source>Another EchoGen is fetching into {folder} right now.</source>
        <translation>另一个 EchoGen 正在向 {folder} 下载。</translation>
    </message>
    <message>
        <source>Another picture is more alike.</source>
        <translation>另一张图片更像。</translation>
    </message>
    <message>
        <source>Another program saved it again; its prompt is still in the history.</source>
        <translation>另一个程序重新保存过它；提示词仍在历史记录中。</translation>
    </message>
    <message>
        <source>Another run is drawing the job in {folder}.</source>
        <translation>另一次运行正在绘制 {folder} 中的任务。</translation>
    </message>
    <message>
        <source>Apr</source>
        <translation>4月</translation>
    </message>
    <message>
        <source>Arrow keys</source>
        <translation>方向键</translation>
    </message>
    <message>
        <source>Ask for fewer with --workers or --threads, or add machines.</source>
        <translation>请用 --workers 或 --threads 减少数量，或添加机器。</translation>
    </message>
    <message>
        <source>Ask for it at {page}, then check the access token.</source>
        <translation>请在 {page} 申请访问权限，然后检查访问令牌。</translation>
    </message>
    <message>
        <source>Ask for it at {page}, then enter an access token of your account.</source>
        <translation>请在 {page} 申请访问权限，然后输入您账户的访问令牌。</translation>
    </message>
    <message>
        <source>Ask for what is missing again.</source>
        <translation>请重新生成缺少的图片。</translation>
    </message>
    <message>
        <source>Asking the server</source>
        <translation>正在询问服务器</translation>
    </message>
    <message>
        <source>Aug</source>
        <translation>8月</translation>
    </message>
    <message>
        <source>Automatic place</source>
        <translation>自动摆放</translation>
    </message>
    <message>
        <source>Back to the window</source>
        <translation>返回窗口</translation>
    </message>
    <message>
        <source>Back without changes</source>
        <translation>返回，不保留更改</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>均衡</translation>
    </message>
    <message>
        <source>Better cut-outs</source>
        <translation>更好的抠图</translation>
    </message>
    <message>
        <source>Bit labels are zeros and ones, with as many bits in every scale.</source>
        <translation>位标签只含 0 和 1，每个尺度的位数相同。</translation>
    </message>
    <message>
        <source>Bit labels have three axes: rows, columns, bits.</source>
        <translation>位标签有三个轴：行、列、位。</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>框</translation>
    </message>
    <message>
        <source>Brush</source>
        <translation>画笔</translation>
    </message>
    <message>
        <source>Brush and eraser change places while held</source>
        <translation>按住时画笔与橡皮互换</translation>
    </message>
    <message>
        <source>Brush size</source>
        <translation>画笔大小</translation>
    </message>
    <message>
        <source>CPU, 1 core</source>
        <translation>CPU，1 核</translation>
    </message>
    <message>
        <source>CPU, {count} cores</source>
        <translation>CPU，{count} 核</translation>
    </message>
    <message>
        <source>Change its permissions, or copy it somewhere else.</source>
        <translation>请更改其权限，或将它复制到别处。</translation>
    </message>
    <message>
        <source>Change that line.</source>
        <translation>请更改该行。</translation>
    </message>
    <message>
        <source>Change the order</source>
        <translation>更改顺序</translation>
    </message>
    <message>
        <source>Check the access token, and whether the licence was accepted on the publisher&apos;s page.</source>
        <translation>请检查访问令牌，以及是否已在发布者的页面上接受许可证。</translation>
    </message>
    <message>
        <source>Check the access token, or try another address to download from.</source>
        <translation>请检查访问令牌，或换一个下载地址。</translation>
    </message>
    <message>
        <source>Check the access token.</source>
        <translation>请检查访问令牌。</translation>
    </message>
    <message>
        <source>Check the connection. The download goes on where it stopped.</source>
        <translation>请检查网络连接。下载会从停止处继续。</translation>
    </message>
    <message>
        <source>Check the network and try again. What has arrived is kept.</source>
        <translation>请检查网络后重试。已下载的内容会保留。</translation>
    </message>
    <message>
        <source>Check this computer&apos;s clock; a network with its own certificate needs that in the system.</source>
        <translation>请检查本机时间；如果网络使用自己的证书，需先将其加入系统。</translation>
    </message>
    <message>
        <source>Checking the files</source>
        <translation>正在校验文件</translation>
    </message>
    <message>
        <source>Choose a file of JSON lines.</source>
        <translation>请选择逐行 JSON 的文件。</translation>
    </message>
    <message>
        <source>Choose a file that was saved as a preset.</source>
        <translation>请选择保存为预设的文件。</translation>
    </message>
    <message>
        <source>Choose a folder that stays on this computer.</source>
        <translation>请选择一个只保存在这台电脑上的文件夹。</translation>
    </message>
    <message>
        <source>Choose a model first.</source>
        <translation>请先选择模型。</translation>
    </message>
    <message>
        <source>Choose a photo inside it.</source>
        <translation>请选择其中的一张照片。</translation>
    </message>
    <message>
        <source>Choose a photo.</source>
        <translation>请选择一张照片。</translation>
    </message>
    <message>
        <source>Choose a smaller factor.</source>
        <translation>请选择更小的倍数。</translation>
    </message>
    <message>
        <source>Choose a smaller model, or draw on the processor.</source>
        <translation>请选择更小的模型，或用处理器绘制。</translation>
    </message>
    <message>
        <source>Choose a smaller model.</source>
        <translation>请选择更小的模型。</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>请选择另一个文件。</translation>
    </message>
    <message>
        <source>Choose another folder in Settings.</source>
        <translation>请在设置中选择另一个文件夹。</translation>
    </message>
    <message>
        <source>Choose another folder or name.</source>
        <translation>请选择另一个文件夹或名称。</translation>
    </message>
    <message>
        <source>Choose another folder, or change its permissions.</source>
        <translation>请选择另一个文件夹，或更改其权限。</translation>
    </message>
    <message>
        <source>Choose another folder, or see the log.</source>
        <translation>请选择其他文件夹，或查看日志。</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>请选择另一个文件夹。</translation>
    </message>
    <message>
        <source>Choose another folder…</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Choose another model, or get it again.</source>
        <translation>请选择另一个模型，或重新获取它。</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>请选择另一个名称。</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>请另选一个。</translation>
    </message>
    <message>
        <source>Choose another photo.</source>
        <translation>请选择另一张照片。</translation>
    </message>
    <message>
        <source>Choose auto, cpu, cuda or mps.</source>
        <translation>请选择 auto、cpu、cuda 或 mps。</translation>
    </message>
    <message>
        <source>Choose auto, {plans} or {last}.</source>
        <translation>请选择 auto、{plans} 或 {last}。</translation>
    </message>
    <message>
        <source>Choose from {offered}.</source>
        <translation>请从 {offered} 中选择。</translation>
    </message>
    <message>
        <source>Choose one of them.</source>
        <translation>请从中选择一个。</translation>
    </message>
    <message>
        <source>Choose one that begins with https://.</source>
        <translation>请选择以 https:// 开头的地址。</translation>
    </message>
    <message>
        <source>Choose the folder the files lie in.</source>
        <translation>请选择文件所在的文件夹。</translation>
    </message>
    <message>
        <source>Click</source>
        <translation>单击</translation>
    </message>
    <message>
        <source>Click a scale to redraw from there</source>
        <translation>点选一个尺度，从那里重画</translation>
    </message>
    <message>
        <source>Click or paint with the cross-hair</source>
        <translation>用十字准线点选或涂抹</translation>
    </message>
    <message>
        <source>Click the subject in the photo, or take a closer photo.</source>
        <translation>请点击照片中的主体，或拍得更近一些。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Close EchoGen and open it again: what is missing is fetched then.</source>
        <translation>请关闭 EchoGen 再重新打开：届时会重新下载缺少的内容。</translation>
    </message>
    <message>
        <source>Close other programs and try again.</source>
        <translation>请关闭其他程序后重试。</translation>
    </message>
    <message>
        <source>Close other programs that use the graphics card, or choose a smaller size.</source>
        <translation>请关闭占用显卡的其他程序，或选择更小的尺寸。</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller size.</source>
        <translation>请关闭其他程序，或选择更小的尺寸。</translation>
    </message>
    <message>
        <source>Close other programs, or make the photo smaller first.</source>
        <translation>请关闭其他程序，或先将照片缩小。</translation>
    </message>
    <message>
        <source>Close other programs, or save it larger by resampling.</source>
        <translation>请关闭其他程序，或改用重采样放大保存。</translation>
    </message>
    <message>
        <source>Compact</source>
        <translation>紧凑</translation>
    </message>
    <message>
        <source>Compare the two</source>
        <translation>对比这两张</translation>
    </message>
    <message>
        <source>Compare two pictures</source>
        <translation>对比两张图片</translation>
    </message>
    <message>
        <source>Compare with the cut-out</source>
        <translation>与抠图对比</translation>
    </message>
    <message>
        <source>Compare with the one before</source>
        <translation>与前一张对比</translation>
    </message>
    <message>
        <source>Compare: Ctrl-click another one, too</source>
        <translation>对比：请再按住 Ctrl 点选一张</translation>
    </message>
    <message>
        <source>Compare: choose only two</source>
        <translation>对比：请只选两张</translation>
    </message>
    <message>
        <source>Compare: the file is missing</source>
        <translation>对比：文件不见了</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>复制诊断信息</translation>
    </message>
    <message>
        <source>Copy it again from where it came from.</source>
        <translation>请从原处重新复制。</translation>
    </message>
    <message>
        <source>Copy it from the settings page of your account, all of it.</source>
        <translation>请从您账户的设置页面完整复制。</translation>
    </message>
    <message>
        <source>Copy it to this computer first.</source>
        <translation>请先将它复制到这台电脑。</translation>
    </message>
    <message>
        <source>Copy its prompt</source>
        <translation>复制它的提示词</translation>
    </message>
    <message>
        <source>Copy picture</source>
        <translation>复制图片</translation>
    </message>
    <message>
        <source>Copy the model anew from where it came from.</source>
        <translation>请从原处重新复制该模型。</translation>
    </message>
    <message>
        <source>Copying</source>
        <translation>正在复制</translation>
    </message>
    <message>
        <source>Correct or unset it: an http:// proxy works, as in http://proxy.example:3128.</source>
        <translation>请改正或取消该设置：可以使用 http:// 代理，例如 http://proxy.example:3128。</translation>
    </message>
    <message>
        <source>Correct or unset {named}.</source>
        <translation>请改正或取消 {named}。</translation>
    </message>
    <message>
        <source>Ctrl</source>
        <translation>Ctrl</translation>
    </message>
    <message>
        <source>Ctrl+drag</source>
        <translation>Ctrl+拖动</translation>
    </message>
    <message>
        <source>Ctrl+wheel</source>
        <translation>Ctrl+滚轮</translation>
    </message>
    <message>
        <source>Cut out of the picture…</source>
        <translation>从图片中抠图…</translation>
    </message>
    <message>
        <source>Cut-out</source>
        <translation>抠图</translation>
    </message>
    <message>
        <source>Damaged: {0}</source>
        <translation>已损坏：{0}</translation>
    </message>
    <message>
        <source>Dec</source>
        <translation>12月</translation>
    </message>
    <message>
        <source>Delete one first.</source>
        <translation>请先删除一个。</translation>
    </message>
    <message>
        <source>Developers can set it up by hand, see the README.</source>
        <translation>开发者可按 README 手动安装。</translation>
    </message>
    <message>
        <source>Different strengths for prompt and subject take {0} more memory.</source>
        <translation>提示词和主体使用不同强度时，要多用 {0} 内存。</translation>
    </message>
    <message>
        <source>Different strengths for prompt and subject take {unequal} more memory.</source>
        <translation>提示词和主体使用不同强度时，要多用 {unequal} 内存。</translation>
    </message>
    <message>
        <source>Double click</source>
        <translation>双击</translation>
    </message>
    <message>
        <source>Download it with the text encoder.</source>
        <translation>请连同文本编码器一起下载。</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>正在下载</translation>
    </message>
    <message>
        <source>Downloading {0}, {1}&#xa0;%</source>
        <translation>正在下载 {0}，{1}&#xa0;%</translation>
    </message>
    <message>
        <source>Downloads are switched off on this computer.</source>
        <translation>这台电脑上已关闭下载。</translation>
    </message>
    <message>
        <source>Drag</source>
        <translation>拖动</translation>
    </message>
    <message>
        <source>Drag out</source>
        <translation>拖出</translation>
    </message>
    <message>
        <source>Drag the picture to another program</source>
        <translation>把图片拖到其他程序</translation>
    </message>
    <message>
        <source>Draw a box</source>
        <translation>画一个框</translation>
    </message>
    <message>
        <source>Draw a box around it.</source>
        <translation>请在它周围画一个框。</translation>
    </message>
    <message>
        <source>Draw a box around the subject, or click it.</source>
        <translation>请在主体周围画一个框，或点击它。</translation>
    </message>
    <message>
        <source>Draw fewer at once; batch on the command line draws any number.</source>
        <translation>请一次少画一些；命令行的 batch 可以绘制任意数量。</translation>
    </message>
    <message>
        <source>Draw it after all</source>
        <translation>仍然绘制</translation>
    </message>
    <message>
        <source>Draw it earlier</source>
        <translation>提前绘制</translation>
    </message>
    <message>
        <source>Draw it later</source>
        <translation>推后绘制</translation>
    </message>
    <message>
        <source>Draw it next</source>
        <translation>下一个绘制</translation>
    </message>
    <message>
        <source>Draw the box a little larger, or paint the subject with the brush.</source>
        <translation>请将框画大一些，或用画笔涂出主体。</translation>
    </message>
    <message>
        <source>Draw the list again.</source>
        <translation>请重新绘制列表。</translation>
    </message>
    <message>
        <source>Drawing</source>
        <translation>正在绘制</translation>
    </message>
    <message>
        <source>Drawing can stop after {max} to {count} scales, not after {until_scale}.</source>
        <translation>绘制可以在 {max} 到 {count} 个尺度后停止，而不是 {until_scale} 个。</translation>
    </message>
    <message>
        <source>Drawing {0} of {1}</source>
        <translation>正在绘制第 {0} 张，共 {1} 张</translation>
    </message>
    <message>
        <source>Draws into a photo</source>
        <translation>画进一张照片</translation>
    </message>
    <message>
        <source>Draws only its region anew</source>
        <translation>只重画它的区域</translation>
    </message>
    <message>
        <source>Earlier prompt</source>
        <translation>较早的提示词</translation>
    </message>
    <message>
        <source>EchoGen does not open.</source>
        <translation>EchoGen 无法打开。</translation>
    </message>
    <message>
        <source>EchoGen is being set up</source>
        <translation>正在安装 EchoGen</translation>
    </message>
    <message>
        <source>EchoGen is being set up by another window already.</source>
        <translation>另一个窗口正在安装 EchoGen。</translation>
    </message>
    <message>
        <source>EchoGen is installed and does not open.</source>
        <translation>EchoGen 已安装，但无法打开。</translation>
    </message>
    <message>
        <source>EchoGen needs Windows 10 (1809) or newer.</source>
        <translation>EchoGen 需要 Windows 10（1809）或更新版本。</translation>
    </message>
    <message>
        <source>EchoGen needs a 64-bit system, and this one has 32 bits.</source>
        <translation>EchoGen 需要 64 位系统，而本机为 32 位。</translation>
    </message>
    <message>
        <source>EchoGen needs macOS 14 or newer.</source>
        <translation>EchoGen 需要 macOS 14 或更新版本。</translation>
    </message>
    <message>
        <source>EchoGen {0} opens at the next start.</source>
        <translation>下次启动时将打开 EchoGen {0}。</translation>
    </message>
    <message>
        <source>EchoGen&apos;s set-up is removed. Pictures, history and settings are kept in {0}.</source>
        <translation>EchoGen 的安装内容已移除。图片、历史记录和设置保留在 {0}。</translation>
    </message>
    <message>
        <source>EchoGen&apos;s set-up, history and settings are removed. Pictures are kept.</source>
        <translation>EchoGen 的安装内容、历史记录和设置已删除。图片会保留。</translation>
    </message>
    <message>
        <source>Edit cut-out</source>
        <translation>编辑抠图</translation>
    </message>
    <message>
        <source>Enlarging ended with code {exit_code}.</source>
        <translation>放大以代码 {exit_code} 结束。</translation>
    </message>
    <message>
        <source>Enlarging failed: {error}.</source>
        <translation>放大失败：{error}。</translation>
    </message>
    <message>
        <source>Enlarging was ended by the system, which happens when memory runs out.</source>
        <translation>放大被系统终止，内存耗尽时会这样。</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Eraser</source>
        <translation>橡皮</translation>
    </message>
    <message>
        <source>Everything is here.</source>
        <translation>一切就绪。</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>快速</translation>
    </message>
    <message>
        <source>Feb</source>
        <translation>2月</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Files cannot be written to {0}: {1}.</source>
        <translation>无法向 {0} 写入文件：{1}。</translation>
    </message>
    <message>
        <source>Files cannot be written to {folder}: {reason}.</source>
        <translation>无法向 {folder} 写入文件：{reason}。</translation>
    </message>
    <message>
        <source>Files in {0} are in use. Close EchoGen and remove it again.</source>
        <translation>{0} 中有文件正在使用。请关闭 EchoGen 后再次删除。</translation>
    </message>
    <message>
        <source>Find the file…</source>
        <translation>查找文件…</translation>
    </message>
    <message>
        <source>Finding the subject…</source>
        <translation>正在查找主体…</translation>
    </message>
    <message>
        <source>Finds the subject by its name and follows its edges: Grounding DINO and SAM 2.1.</source>
        <translation>按名称找到主体并贴合其边缘：Grounding DINO 和 SAM 2.1。</translation>
    </message>
    <message>
        <source>Fine details</source>
        <translation>精细细节</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适合窗口</translation>
    </message>
    <message>
        <source>Folder or page with builds of torch</source>
        <translation>存放 torch 安装包的文件夹或网页</translation>
    </message>
    <message>
        <source>For research and evaluation only, not for commercial use.</source>
        <translation>仅供研究与评估，不可商用。</translation>
    </message>
    <message>
        <source>Four ideas</source>
        <translation>四个构思</translation>
    </message>
    <message>
        <source>Free for any use, commercial too, as long as notices are kept and changes are stated.</source>
        <translation>可自由用于任何用途，包括商业用途，只要保留声明并注明修改。</translation>
    </message>
    <message>
        <source>Free for any use, commercial too, as long as the notice of the authors is kept.</source>
        <translation>可自由用于任何用途，包括商业用途，只要保留作者声明。</translation>
    </message>
    <message>
        <source>Fri</source>
        <translation>周五</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Gallery of all pictures</source>
        <translation>所有图片的图库</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Get it again under Models.</source>
        <translation>请在“模型”中重新获取。</translation>
    </message>
    <message>
        <source>Get it under Models, or name its folder.</source>
        <translation>请在“模型”中获取，或指定其文件夹。</translation>
    </message>
    <message>
        <source>Get the file again from its publisher.</source>
        <translation>请从发布者处重新获取该文件。</translation>
    </message>
    <message>
        <source>Get the file again from its publisher; the download may be incomplete or another file.</source>
        <translation>请从发布者处重新获取该文件；下载可能不完整，或是另一个文件。</translation>
    </message>
    <message>
        <source>Get the file from its own publisher, or a safetensors version of it.</source>
        <translation>请从发布者处获取该文件，或使用其 safetensors 版本。</translation>
    </message>
    <message>
        <source>Get the model again, or verify it under Models.</source>
        <translation>请重新获取该模型，或在“模型”中校验。</translation>
    </message>
    <message>
        <source>Getting the parts of the program</source>
        <translation>正在下载程序组件</translation>
    </message>
    <message>
        <source>Give it another name</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Give it the cluster&apos;s token (docs/batch.md says how), and have one version of Ray on all machines.</source>
        <translation>请提供集群的令牌（方法见 docs/batch.md），并在所有机器上使用同一版本的 Ray。</translation>
    </message>
    <message>
        <source>Give one number, or one per scale.</source>
        <translation>请给出一个数，或每个尺度一个数。</translation>
    </message>
    <message>
        <source>Give prompt and subject the same strength: different ones need {0} more memory than is free.</source>
        <translation>请为提示词和主体设置相同的强度：不同的强度所需内存比可用内存多 {0}。</translation>
    </message>
    <message>
        <source>Give prompt and subject the same strength: different ones need {needed} more memory than is free.</source>
        <translation>请为提示词和主体设置相同的强度：不同的强度所需内存比可用内存多 {needed}。</translation>
    </message>
    <message>
        <source>Give the requests again, with --resume.</source>
        <translation>请用 --resume 再次给出这些请求。</translation>
    </message>
    <message>
        <source>Give what is written a name of its own.</source>
        <translation>请为要写入的文件另取一个名称。</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Go on with --resume.</source>
        <translation>请用 --resume 继续。</translation>
    </message>
    <message>
        <source>Go on with it by --resume, or name another folder.</source>
        <translation>请用 --resume 继续，或指定另一个文件夹。</translation>
    </message>
    <message>
        <source>Go to the prompt</source>
        <translation>转到提示词</translation>
    </message>
    <message>
        <source>Harder brush</source>
        <translation>画笔更硬</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>帮助</translation>
    </message>
    <message>
        <source>Hide the log</source>
        <translation>隐藏日志</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>How large this model is cannot be told from its description: {reason}.</source>
        <translation>无法从该模型的描述得知它有多大：{reason}。</translation>
    </message>
    <message>
        <source>If your network has a certificate of its own, add it to the system&apos;s and try again.</source>
        <translation>如果您的网络使用自己的证书，请将其加入系统后重试。</translation>
    </message>
    <message>
        <source>Import it from a folder that holds the published files.</source>
        <translation>请从含有已发布文件的文件夹导入。</translation>
    </message>
    <message>
        <source>Install EchoGen again.</source>
        <translation>请重新安装 EchoGen。</translation>
    </message>
    <message>
        <source>Install it with “pip install pillow-heif”, or save the photo as JPEG first.</source>
        <translation>请用“pip install pillow-heif”安装，或先将照片存为 JPEG。</translation>
    </message>
    <message>
        <source>Install it with “pip install rawpy”, or save the photo as JPEG first.</source>
        <translation>请用“pip install rawpy”安装，或先将照片存为 JPEG。</translation>
    </message>
    <message>
        <source>Install it with: pip install &apos;ray[data]&gt;=2.60,&lt;3&apos; pyarrow.</source>
        <translation>安装命令：pip install &apos;ray[data]&gt;=2.60,&lt;3&apos; pyarrow。</translation>
    </message>
    <message>
        <source>Invert</source>
        <translation>反选</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>是一个文件夹</translation>
    </message>
    <message>
        <source>It also takes {0} of the computer&apos;s own memory, {1} more than is free. Close other programs, or drawing becomes very slow.</source>
        <translation>它还要占用电脑自身内存 {0}，比可用内存多 {1}。请关闭其他程序，否则绘制会非常慢。</translation>
    </message>
    <message>
        <source>It also takes {0} of the computer&apos;s own memory.</source>
        <translation>它还要占用电脑自身内存 {0}。</translation>
    </message>
    <message>
        <source>It also takes {beside} of the computer&apos;s own memory, {missing_beside} more than is free. Close other programs, or drawing becomes very slow.</source>
        <translation>它还要占用电脑自身内存 {beside}，比可用内存多 {missing_beside}。请关闭其他程序，否则绘制会非常慢。</translation>
    </message>
    <message>
        <source>It also takes {beside} of the computer&apos;s own memory.</source>
        <translation>它还要占用电脑自身内存 {beside}。</translation>
    </message>
    <message>
        <source>It draws {sizes}.</source>
        <translation>它可以绘制 {sizes}。</translation>
    </message>
    <message>
        <source>It ended its worker {tries} times.</source>
        <translation>它使工作进程终止了 {tries} 次。</translation>
    </message>
    <message>
        <source>It ended unexpectedly. Your photo, cut-out and prompt are safe.</source>
        <translation>它意外退出了。您的照片、抠图和提示词都没有丢失。</translation>
    </message>
    <message>
        <source>It has to begin with https://, as in {hub}.</source>
        <translation>必须以 https:// 开头，例如 {hub}。</translation>
    </message>
    <message>
        <source>It is as it was.</source>
        <translation>它保持原样。</translation>
    </message>
    <message>
        <source>It is being started again; then you can go on.</source>
        <translation>正在重新启动，之后即可继续。</translation>
    </message>
    <message>
        <source>It is not UTF-8 text.</source>
        <translation>它不是 UTF-8 文本。</translation>
    </message>
    <message>
        <source>It may have been moved or renamed.</source>
        <translation>它可能已被移动或重命名。</translation>
    </message>
    <message>
        <source>It may have been moved: right-click it in the history to find it again.</source>
        <translation>它可能已被移动：在历史记录中右键单击它可重新查找。</translation>
    </message>
    <message>
        <source>It needs little room; it cannot be removed.</source>
        <translation>它占用空间很小，无法移除。</translation>
    </message>
    <message>
        <source>It should hold a bundle (bundle.json), the published files, or folders as the hub has them.</source>
        <translation>其中应有模型包（bundle.json）、已发布的文件，或与 hub 相同的文件夹。</translation>
    </message>
    <message>
        <source>It should hold config.json and safetensors files.</source>
        <translation>其中应有 config.json 和 safetensors 文件。</translation>
    </message>
    <message>
        <source>It was not drawn; go on with --resume.</source>
        <translation>尚未绘制；请用 --resume 继续。</translation>
    </message>
    <message>
        <source>It was not made here, or another program saved it again.</source>
        <translation>它不是在这里生成的，或者被另一个程序重新保存过。</translation>
    </message>
    <message>
        <source>Jan</source>
        <translation>1月</translation>
    </message>
    <message>
        <source>Jul</source>
        <translation>7月</translation>
    </message>
    <message>
        <source>Jun</source>
        <translation>6月</translation>
    </message>
    <message>
        <source>Keep 1: same light, new composition</source>
        <translation>保留第一个：光线不变，构图更新</translation>
    </message>
    <message>
        <source>Keep all scales</source>
        <translation>保留全部尺度</translation>
    </message>
    <message>
        <source>Keep fewer.</source>
        <translation>请少保留一些。</translation>
    </message>
    <message>
        <source>Keep one scale less</source>
        <translation>少保留一个尺度</translation>
    </message>
    <message>
        <source>Keep one scale more</source>
        <translation>多保留一个尺度</translation>
    </message>
    <message>
        <source>Keep the first scale</source>
        <translation>保留第一个尺度</translation>
    </message>
    <message>
        <source>Keep this seed</source>
        <translation>保留此种子</translation>
    </message>
    <message>
        <source>Keep {0}: same composition, new details</source>
        <translation>保留前 {0} 个：构图不变，细节更新</translation>
    </message>
    <message>
        <source>Keeps the first scale</source>
        <translation>保留第一个尺度</translation>
    </message>
    <message>
        <source>Keeps the first {0} scales</source>
        <translation>保留前 {0} 个尺度</translation>
    </message>
    <message>
        <source>Keys and help</source>
        <translation>快捷键与帮助</translation>
    </message>
    <message>
        <source>Landscape {0}:{1}</source>
        <translation>横向 {0}:{1}</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Larger brush</source>
        <translation>画笔更大</translation>
    </message>
    <message>
        <source>Larger or smaller</source>
        <translation>放大或缩小</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>套索</translation>
    </message>
    <message>
        <source>Later prompt</source>
        <translation>较晚的提示词</translation>
    </message>
    <message>
        <source>Leave --ray out, or look into Ray&apos;s own log.</source>
        <translation>请去掉 --ray，或查看 Ray 自己的日志。</translation>
    </message>
    <message>
        <source>Leave out names, passwords and everything behind “?”.</source>
        <translation>请去掉名称、密码以及“?”之后的所有内容。</translation>
    </message>
    <message>
        <source>Leave out where to stop.</source>
        <translation>请不要指定在哪里停止。</translation>
    </message>
    <message>
        <source>Leave something outside, or draw a new picture.</source>
        <translation>请在外面留下一些，或者画一张新图片。</translation>
    </message>
    <message>
        <source>Leave the device at auto, or run “python -m engine doctor” to see why.</source>
        <translation>请将设备保持为 auto，或运行“python -m engine doctor”查看原因。</translation>
    </message>
    <message>
        <source>Leave the placement out, or open another model.</source>
        <translation>去掉位置设置，或打开其他模型。</translation>
    </message>
    <message>
        <source>Light and colours come first</source>
        <translation>先出现光线和颜色</translation>
    </message>
    <message>
        <source>Line {number}</source>
        <translation>第 {number} 行</translation>
    </message>
    <message>
        <source>Line {number} has “{text}” as its {key}.</source>
        <translation>第 {number} 行的 {key} 为“{text}”。</translation>
    </message>
    <message>
        <source>Line {number} is skipped: {reason}</source>
        <translation>第 {number} 行已跳过：{reason}</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>正在加载模型</translation>
    </message>
    <message>
        <source>Loading the model, {0}&#xa0;%</source>
        <translation>正在加载模型，{0}&#xa0;%</translation>
    </message>
    <message>
        <source>Loads the model again first</source>
        <translation>会先重新加载模型</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Look for a quotation mark that is not closed there, or save it as CSV again.</source>
        <translation>请检查那里是否有未闭合的引号，或重新另存为 CSV。</translation>
    </message>
    <message>
        <source>Look with `ray status` on the head machine; the address is HOST:6379.</source>
        <translation>请在主机上用 `ray status` 查看；地址为 HOST:6379。</translation>
    </message>
    <message>
        <source>Looking up what is needed …</source>
        <translation>正在查询所需内容…</translation>
    </message>
    <message>
        <source>Low memory</source>
        <translation>低内存</translation>
    </message>
    <message>
        <source>Make it smaller first.</source>
        <translation>请先将它缩小。</translation>
    </message>
    <message>
        <source>Make room on the disk and try again; the version you have stays.</source>
        <translation>请腾出磁盘空间后重试；现有版本不受影响。</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another folder; what has arrived is kept.</source>
        <translation>请腾出磁盘空间或选择其他文件夹；已下载的内容会保留。</translation>
    </message>
    <message>
        <source>Make room or choose a folder on another disk.</source>
        <translation>请腾出空间，或选择其他磁盘上的文件夹。</translation>
    </message>
    <message>
        <source>Make room or choose another folder; what has arrived is kept.</source>
        <translation>请腾出空间或选择其他文件夹；已下载的内容会保留。</translation>
    </message>
    <message>
        <source>Make room, or choose another folder for the models.</source>
        <translation>请腾出空间，或为模型选择另一个文件夹。</translation>
    </message>
    <message>
        <source>Make room, or choose another folder.</source>
        <translation>请腾出空间，或选择另一个文件夹。</translation>
    </message>
    <message>
        <source>Make room, then resume; it goes on where it stopped.</source>
        <translation>请腾出空间后继续；将从停止处继续。</translation>
    </message>
    <message>
        <source>Making it ready to draw</source>
        <translation>正在准备绘图</translation>
    </message>
    <message>
        <source>Mar</source>
        <translation>3月</translation>
    </message>
    <message>
        <source>Mark a larger one.</source>
        <translation>请标出更大的区域。</translation>
    </message>
    <message>
        <source>Mark at least {stride} × {stride} pixels.</source>
        <translation>请至少标出 {stride} × {stride} 像素。</translation>
    </message>
    <message>
        <source>Mark what belongs to it.</source>
        <translation>请标出属于它的部分。</translation>
    </message>
    <message>
        <source>Mark what is to be drawn anew.</source>
        <translation>请标出要重画的部分。</translation>
    </message>
    <message>
        <source>May</source>
        <translation>5月</translation>
    </message>
    <message>
        <source>Memory may run out: {0} more is wanted. Close other programs, or choose a smaller plan.</source>
        <translation>内存可能不足：还需要 {0}。请关闭其他程序，或选择更小的方案。</translation>
    </message>
    <message>
        <source>Memory may run out: {missing} more is wanted. Close other programs, or choose a smaller plan or size.</source>
        <translation>内存可能不足：还需要 {missing}。请关闭其他程序，或选择更小的方案或尺寸。</translation>
    </message>
    <message>
        <source>Memory ran out with the plan “{plan}”; “{below}” is used now, whose pictures differ a little.</source>
        <translation>采用方案“{plan}”时内存不足；现改用“{below}”，其图片略有不同。</translation>
    </message>
    <message>
        <source>Memory ran out with the plan “{plan}”; “{below}” is used now.</source>
        <translation>方案“{plan}”内存不足；现改用“{below}”。</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>菜单</translation>
    </message>
    <message>
        <source>Menu of the picture</source>
        <translation>图片菜单</translation>
    </message>
    <message>
        <source>Mirror it</source>
        <translation>镜像</translation>
    </message>
    <message>
        <source>Mirror of Python builds</source>
        <translation>Python 安装包镜像</translation>
    </message>
    <message>
        <source>Mirror of Python packages</source>
        <translation>Python 软件包镜像</translation>
    </message>
    <message>
        <source>Mirror of the hub of models</source>
        <translation>模型库镜像</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Mon</source>
        <translation>周一</translation>
    </message>
    <message>
        <source>More than was shown</source>
        <translation>比显示的更大</translation>
    </message>
    <message>
        <source>Most alike first</source>
        <translation>最像的在前</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>Move a cross-hair</source>
        <translation>移动十字准线</translation>
    </message>
    <message>
        <source>Move it a little</source>
        <translation>稍微移动</translation>
    </message>
    <message>
        <source>Move it further</source>
        <translation>大步移动</translation>
    </message>
    <message>
        <source>Move it to the left</source>
        <translation>左移</translation>
    </message>
    <message>
        <source>Move it to the right</source>
        <translation>右移</translation>
    </message>
    <message>
        <source>Move the photo</source>
        <translation>移动照片</translation>
    </message>
    <message>
        <source>Move the picture</source>
        <translation>移动图片</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>Move, size or turn the subject</source>
        <translation>移动、缩放或旋转主体</translation>
    </message>
    <message>
        <source>Name a file of JSON lines in UTF-8.</source>
        <translation>请指定 UTF-8 编码的逐行 JSON 文件。</translation>
    </message>
    <message>
        <source>Name a file of JSON lines.</source>
        <translation>请指定逐行 JSON 的文件。</translation>
    </message>
    <message>
        <source>Name a new or an empty folder.</source>
        <translation>请指定一个新的或空的文件夹。</translation>
    </message>
    <message>
        <source>Name a text file or a CSV.</source>
        <translation>请指定文本文件或 CSV。</translation>
    </message>
    <message>
        <source>Name a text file with one prompt a line.</source>
        <translation>请指定每行一条提示词的文本文件。</translation>
    </message>
    <message>
        <source>Name an empty or a new folder.</source>
        <translation>请指定一个空文件夹或新文件夹。</translation>
    </message>
    <message>
        <source>Name another folder, or the model it was begun with.</source>
        <translation>请指定另一个文件夹，或开始时所用的模型。</translation>
    </message>
    <message>
        <source>Name another folder.</source>
        <translation>请指定另一个文件夹。</translation>
    </message>
    <message>
        <source>Name another one.</source>
        <translation>请另外指定一个。</translation>
    </message>
    <message>
        <source>Name it first.</source>
        <translation>请先为它命名。</translation>
    </message>
    <message>
        <source>Name the folder the part was downloaded to.</source>
        <translation>请指定该部分下载到的文件夹。</translation>
    </message>
    <message>
        <source>Network settings</source>
        <translation>网络设置</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>新种子</translation>
    </message>
    <message>
        <source>Newer picture</source>
        <translation>较新的图片</translation>
    </message>
    <message>
        <source>Newest first</source>
        <translation>最新的在前</translation>
    </message>
    <message>
        <source>Newest picture</source>
        <translation>最新的图片</translation>
    </message>
    <message>
        <source>Next panel</source>
        <translation>下一个面板</translation>
    </message>
    <message>
        <source>No Ray answers at {address}.</source>
        <translation>{address} 处没有 Ray 应答。</translation>
    </message>
    <message>
        <source>No permission</source>
        <translation>没有权限</translation>
    </message>
    <message>
        <source>No picture of the list is there any more.</source>
        <translation>列表的图片都已不在。</translation>
    </message>
    <message>
        <source>No settings in this picture</source>
        <translation>此图片中没有设置</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>设备上没有剩余空间</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>没有那个文件或文件夹</translation>
    </message>
    <message>
        <source>No “{hint}” was found by name; what stands out most was taken.</source>
        <translation>未按名称找到“{hint}”；已采用最突出的部分。</translation>
    </message>
    <message>
        <source>No “{name}” was found in this photo.</source>
        <translation>在这张照片中没有找到“{name}”。</translation>
    </message>
    <message>
        <source>Not enough memory</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>Not enough room on the disk</source>
        <translation>磁盘空间不足</translation>
    </message>
    <message>
        <source>Not for commercial use. You have to ask the publisher for access with an account, and accept there too.</source>
        <translation>不可商用。您需要用账户向发布者申请访问，并在那里也接受许可证。</translation>
    </message>
    <message>
        <source>Not moved to the trash</source>
        <translation>未移到回收站</translation>
    </message>
    <message>
        <source>Not on this computer</source>
        <translation>不在这台电脑上</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>没有找到</translation>
    </message>
    <message>
        <source>Nothing stands out in this photo.</source>
        <translation>这张照片里没有突出的主体。</translation>
    </message>
    <message>
        <source>Nothing stands out there.</source>
        <translation>那里没有突出的主体。</translation>
    </message>
    <message>
        <source>Nothing was fetched from there. Try again later, or another address to download from.</source>
        <translation>未从该处下载任何内容。请稍后重试，或更换下载地址。</translation>
    </message>
    <message>
        <source>Nothing was fetched yet. Agree to the size to go on.</source>
        <translation>尚未下载任何内容。同意此大小后即可继续。</translation>
    </message>
    <message>
        <source>Nothing was fetched. Choose another source for this part, or look for a newer version of this program.</source>
        <translation>未下载任何内容。请为此部分选择其他来源，或查找本程序的新版本。</translation>
    </message>
    <message>
        <source>Nothing was fetched. Look for a newer version of this program.</source>
        <translation>未下载任何内容。请查看是否有此程序的新版本。</translation>
    </message>
    <message>
        <source>Nothing was lost.</source>
        <translation>没有丢失任何内容。</translation>
    </message>
    <message>
        <source>Nov</source>
        <translation>11月</translation>
    </message>
    <message>
        <source>Oct</source>
        <translation>10月</translation>
    </message>
    <message>
        <source>Older picture</source>
        <translation>较旧的图片</translation>
    </message>
    <message>
        <source>Oldest picture</source>
        <translation>最旧的图片</translation>
    </message>
    <message>
        <source>On this computer: {names}.</source>
        <translation>这台电脑上有：{names}。</translation>
    </message>
    <message>
        <source>One waiting picture cannot be read.</source>
        <translation>有一张等待的图片无法读取。</translation>
    </message>
    <message>
        <source>Only PNG pictures carry their settings.</source>
        <translation>只有 PNG 图片带有设置。</translation>
    </message>
    <message>
        <source>Open a mask…</source>
        <translation>打开蒙版…</translation>
    </message>
    <message>
        <source>Open a preset…</source>
        <translation>打开预设…</translation>
    </message>
    <message>
        <source>Open photo…</source>
        <translation>打开照片…</translation>
    </message>
    <message>
        <source>Open that model, or draw it anew with this one.</source>
        <translation>请打开那个模型，或用当前模型重新绘制。</translation>
    </message>
    <message>
        <source>Open the log folder</source>
        <translation>打开日志文件夹</translation>
    </message>
    <message>
        <source>Open the pictures folder</source>
        <translation>打开图片文件夹</translation>
    </message>
    <message>
        <source>OpenCV {version} cannot run the network for cut-outs.</source>
        <translation>OpenCV {version} 无法运行抠图网络。</translation>
    </message>
    <message>
        <source>OpenCV {version} cannot run the network that knows things by name.</source>
        <translation>OpenCV {version} 无法运行按名称识别物体的网络。</translation>
    </message>
    <message>
        <source>Opening EchoGen</source>
        <translation>正在打开 EchoGen</translation>
    </message>
    <message>
        <source>Opening the photo…</source>
        <translation>正在打开照片…</translation>
    </message>
    <message>
        <source>Paint away the background.</source>
        <translation>请将背景涂掉。</translation>
    </message>
    <message>
        <source>Paint it by hand, or draw a box.</source>
        <translation>请手动涂抹，或画一个框。</translation>
    </message>
    <message>
        <source>Parts of the model leave the memory when they have done their work.</source>
        <translation>模型的各部分完成工作后即让出内存。</translation>
    </message>
    <message>
        <source>Paste photo or picture</source>
        <translation>粘贴照片或图片</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Pause the queue, or go on</source>
        <translation>暂停队列或继续</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Paused. What has arrived is kept.</source>
        <translation>已暂停。已下载的内容会保留。</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>权限不足</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Picture full screen</source>
        <translation>图片全屏</translation>
    </message>
    <message>
        <source>Picture {0} of {1}</source>
        <translation>第 {0} 张，共 {1} 张</translation>
    </message>
    <message>
        <source>Pictures are enlarged {least} or {most} times.</source>
        <translation>图片可放大 {least} 或 {most} 倍。</translation>
    </message>
    <message>
        <source>Pictures are still saved to their folder and come back with “Rescan folder”.</source>
        <translation>图片仍会保存到文件夹，用“重新扫描文件夹”即可找回。</translation>
    </message>
    <message>
        <source>Pictures cannot be saved to {folder}: it may not be written.</source>
        <translation>无法将图片保存到 {folder}：该处不可写入。</translation>
    </message>
    <message>
        <source>Pictures cannot be saved to {folder}: there is no such folder.</source>
        <translation>无法将图片保存到 {folder}：没有这个文件夹。</translation>
    </message>
    <message>
        <source>Pictures side by side</source>
        <translation>并排显示图片</translation>
    </message>
    <message>
        <source>Place</source>
        <translation>摆放</translation>
    </message>
    <message>
        <source>Place it inside.</source>
        <translation>请放在区域里面。</translation>
    </message>
    <message>
        <source>Place the subject</source>
        <translation>摆放主体</translation>
    </message>
    <message>
        <source>Portrait {0}:{1}</source>
        <translation>纵向 {0}:{1}</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Press Generate and watch the picture form</source>
        <translation>按“生成”，看图片逐渐成形</translation>
    </message>
    <message>
        <source>Press Generate and watch the picture form from coarse to fine.</source>
        <translation>按“生成”，看图片由粗到细逐渐成形。</translation>
    </message>
    <message>
        <source>Previous panel</source>
        <translation>上一个面板</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Prompt copied</source>
        <translation>提示词已复制</translation>
    </message>
    <message>
        <source>Proxy, http://host:port</source>
        <translation>代理，http://主机:端口</translation>
    </message>
    <message>
        <source>Put all files of the model into one folder, then import it.</source>
        <translation>请将模型的所有文件放进一个文件夹，然后导入。</translation>
    </message>
    <message>
        <source>Put the subject into a photo…</source>
        <translation>把主体放进照片…</translation>
    </message>
    <message>
        <source>Put this {0} anywhere</source>
        <translation>把这个 {0} 放到任何地方</translation>
    </message>
    <message>
        <source>Put your subject anywhere</source>
        <translation>把您的主体放到任何地方</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Ray could not be started: {reason}</source>
        <translation>无法启动 Ray：{reason}</translation>
    </message>
    <message>
        <source>Ray gave up: {line}</source>
        <translation>Ray 已放弃：{line}</translation>
    </message>
    <message>
        <source>Ray has room for {available} workers here, not for {asked}, with --threads {threads} each and one core to read the plan.</source>
        <translation>此处 Ray 只能容纳 {available} 个工作进程，而不是 {asked} 个：每个使用 --threads {threads}，另有一个核心用于读取计划。</translation>
    </message>
    <message>
        <source>Ray has {available} graphics cards here, and {asked} workers take one each.</source>
        <translation>此处 Ray 有 {available} 块显卡，而 {asked} 个工作进程各需要一块。</translation>
    </message>
    <message>
        <source>Ray is not installed.</source>
        <translation>未安装 Ray。</translation>
    </message>
    <message>
        <source>Read it and accept it first.</source>
        <translation>请先阅读并接受。</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>文件系统为只读</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Redraw a region</source>
        <translation>重画一个区域</translation>
    </message>
    <message>
        <source>Redraw from here</source>
        <translation>从这里重画</translation>
    </message>
    <message>
        <source>Remove from the history</source>
        <translation>从历史记录中移除</translation>
    </message>
    <message>
        <source>Remove the downloaded models too ({0:.1f} GB in {1})? [y/N] </source>
        <translation>是否同时删除已下载的模型（{1} 中共 {0:.1f} GB）？[y/N]</translation>
    </message>
    <message>
        <source>Remove what has arrived and begin anew, or try again later.</source>
        <translation>请移除已下载的内容并重新开始，或稍后重试。</translation>
    </message>
    <message>
        <source>Rescan folder</source>
        <translation>重新扫描文件夹</translation>
    </message>
    <message>
        <source>Restart the program.</source>
        <translation>请重新启动程序。</translation>
    </message>
    <message>
        <source>Resume when the connection is better; it goes on where it stopped.</source>
        <translation>请在网络好转后继续；将从停止处继续。</translation>
    </message>
    <message>
        <source>Sat</source>
        <translation>周六</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>另存为…</translation>
    </message>
    <message>
        <source>Save it as JPEG first.</source>
        <translation>请先将它存为 JPEG。</translation>
    </message>
    <message>
        <source>Save it as JPEG first. {formats}</source>
        <translation>请先另存为 JPEG。{formats}</translation>
    </message>
    <message>
        <source>Save it as UTF-8, a table as CSV.</source>
        <translation>请保存为 UTF-8，表格请保存为 CSV。</translation>
    </message>
    <message>
        <source>Save it with Save as….</source>
        <translation>请用“另存为…”保存。</translation>
    </message>
    <message>
        <source>Save larger with fine detail that fits, instead of resampling: Swin2SR. Optional.</source>
        <translation>放大保存时补出相称的细节，而不是重采样：Swin2SR。可选。</translation>
    </message>
    <message>
        <source>Save larger, ×2…</source>
        <translation>放大 2 倍保存…</translation>
    </message>
    <message>
        <source>Save larger, ×4…</source>
        <translation>放大 4 倍保存…</translation>
    </message>
    <message>
        <source>Save the cut-out on transparency…</source>
        <translation>将抠图保存为透明图片…</translation>
    </message>
    <message>
        <source>Save the cut-out&apos;s mask…</source>
        <translation>保存抠图的蒙版…</translation>
    </message>
    <message>
        <source>Save the picture in it as a file of its own. {formats}</source>
        <translation>请将其中的图片另存为单独的文件。{formats}</translation>
    </message>
    <message>
        <source>Save these settings as a preset…</source>
        <translation>将这些设置存为预设…</translation>
    </message>
    <message>
        <source>Save without metadata…</source>
        <translation>不带元数据保存…</translation>
    </message>
    <message>
        <source>Save {0} pictures to a folder…</source>
        <translation>将 {0} 张图片保存到文件夹…</translation>
    </message>
    <message>
        <source>Save {0} pictures without metadata…</source>
        <translation>保存 {0} 张图片（不含元数据）…</translation>
    </message>
    <message>
        <source>Saved to {0}</source>
        <translation>已保存到 {0}</translation>
    </message>
    <message>
        <source>Say where the subject should be, for example “in the snow”.</source>
        <translation>请说明主体应在哪里，例如“in the snow”。</translation>
    </message>
    <message>
        <source>Say which sizes it draws.</source>
        <translation>请说明它绘制哪些尺寸。</translation>
    </message>
    <message>
        <source>Says what the subject is, so that you need not type it. Optional.</source>
        <translation>说出主体是什么，您就不必输入。可选。</translation>
    </message>
    <message>
        <source>Scale {0} of {1}, done</source>
        <translation>尺度 {0}/{1}，已完成</translation>
    </message>
    <message>
        <source>Scale {0} of {1}, drawing</source>
        <translation>尺度 {0}/{1}，正在绘制</translation>
    </message>
    <message>
        <source>Scale {0} of {1}, kept</source>
        <translation>尺度 {0}/{1}，已保留</translation>
    </message>
    <message>
        <source>Scale {0} of {1}, to be redrawn</source>
        <translation>尺度 {0}/{1}，将重画</translation>
    </message>
    <message>
        <source>Scale {0} of {1}, waiting</source>
        <translation>尺度 {0}/{1}，等待中</translation>
    </message>
    <message>
        <source>Scales</source>
        <translation>尺度</translation>
    </message>
    <message>
        <source>Scales can be kept from a picture of the same model and size.</source>
        <translation>只能保留相同模型、相同尺寸的图片的尺度。</translation>
    </message>
    <message>
        <source>Search the history</source>
        <translation>搜索历史记录</translation>
    </message>
    <message>
        <source>See if {page} opens in a browser; if it wants an account, enter an access token.</source>
        <translation>请看看 {page} 能否在浏览器中打开；如果它需要账户，请输入访问令牌。</translation>
    </message>
    <message>
        <source>See the log in {0}, or set it up again with --repair.</source>
        <translation>请查看 {0} 中的日志，或用 --repair 修复安装。</translation>
    </message>
    <message>
        <source>See the log.</source>
        <translation>请查看日志。</translation>
    </message>
    <message>
        <source>Select</source>
        <translation>选择</translation>
    </message>
    <message>
        <source>Select the object</source>
        <translation>选择物体</translation>
    </message>
    <message>
        <source>Sep</source>
        <translation>9月</translation>
    </message>
    <message>
        <source>Set EchoGen up again: python3 installer/bootstrap.py repair.</source>
        <translation>请重新安装 EchoGen：python3 installer/bootstrap.py repair。</translation>
    </message>
    <message>
        <source>Set it upright</source>
        <translation>摆正</translation>
    </message>
    <message>
        <source>Set the clock of this computer and try again.</source>
        <translation>请校准本机时间后重试。</translation>
    </message>
    <message>
        <source>Setting up EchoGen</source>
        <translation>正在安装 EchoGen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Shapes are set, details come next</source>
        <translation>形状已定，接下来是细节</translation>
    </message>
    <message>
        <source>Sharper enlargements</source>
        <translation>更清晰的放大</translation>
    </message>
    <message>
        <source>Shelf</source>
        <translation>架子</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Shift+arrow keys</source>
        <translation>Shift+方向键</translation>
    </message>
    <message>
        <source>Shift+click</source>
        <translation>Shift+单击</translation>
    </message>
    <message>
        <source>Show in the folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Show or hide the history</source>
        <translation>显示或隐藏历史记录</translation>
    </message>
    <message>
        <source>Show or hide the queue</source>
        <translation>显示或隐藏队列</translation>
    </message>
    <message>
        <source>Show or hide the subject</source>
        <translation>显示或隐藏主体</translation>
    </message>
    <message>
        <source>Show the log</source>
        <translation>显示日志</translation>
    </message>
    <message>
        <source>Show the previous picture while held</source>
        <translation>按住时显示上一张图片</translation>
    </message>
    <message>
        <source>Small pictures on any computer. Comes with EchoGen.</source>
        <translation>在任何电脑上生成小图片。随 EchoGen 附带。</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Smaller brush</source>
        <translation>画笔更小</translation>
    </message>
    <message>
        <source>Smallest</source>
        <translation>最小</translation>
    </message>
    <message>
        <source>Softer brush</source>
        <translation>画笔更软</translation>
    </message>
    <message>
        <source>Something between here and the server changes it: try another network or mirror.</source>
        <translation>从服务器到本机的途中内容被改动：请换一个网络或镜像。</translation>
    </message>
    <message>
        <source>Something unexpected happened: {0}</source>
        <translation>发生意外情况：{0}</translation>
    </message>
    <message>
        <source>Something went wrong</source>
        <translation>出了点问题</translation>
    </message>
    <message>
        <source>Something went wrong inside the program: {error}</source>
        <translation>程序内部出错：{error}</translation>
    </message>
    <message>
        <source>Space+drag</source>
        <translation>空格+拖动</translation>
    </message>
    <message>
        <source>Square {0}:{1}</source>
        <translation>正方形 {0}:{1}</translation>
    </message>
    <message>
        <source>Stand it on the ground</source>
        <translation>放到地面上</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>加星</translation>
    </message>
    <message>
        <source>Starred only</source>
        <translation>仅显示加星</translation>
    </message>
    <message>
        <source>Start again with --resume.</source>
        <translation>请用 --resume 重新开始。</translation>
    </message>
    <message>
        <source>Start it again, or choose a smaller memory plan in Settings.</source>
        <translation>请重新启动，或在设置中选择更小的内存方案。</translation>
    </message>
    <message>
        <source>Start the program again; your pictures are in their folder.</source>
        <translation>请重新启动程序；您的图片都在其文件夹中。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Starts as soon as the model is loaded</source>
        <translation>模型加载完后立即开始</translation>
    </message>
    <message>
        <source>Stop after this picture</source>
        <translation>画完这张后停止</translation>
    </message>
    <message>
        <source>Stop at once</source>
        <translation>立即停止</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>Stopped:</source>
        <translation>已停止：</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Straight line from the last stroke</source>
        <translation>从上一笔画直线</translation>
    </message>
    <message>
        <source>Subject and prompt are ready</source>
        <translation>主体和提示词已就绪</translation>
    </message>
    <message>
        <source>Subject names</source>
        <translation>主体命名</translation>
    </message>
    <message>
        <source>Sun</source>
        <translation>周日</translation>
    </message>
    <message>
        <source>Swap brush and eraser</source>
        <translation>画笔与橡皮互换</translation>
    </message>
    <message>
        <source>Take it off the shelf</source>
        <translation>从架上取下</translation>
    </message>
    <message>
        <source>Take it out of the queue</source>
        <translation>移出队列</translation>
    </message>
    <message>
        <source>Take one of them out first.</source>
        <translation>请先取出其中一张。</translation>
    </message>
    <message>
        <source>Take some away.</source>
        <translation>请去掉几张。</translation>
    </message>
    <message>
        <source>Take that size out of the list.</source>
        <translation>请从列表中去掉该尺寸。</translation>
    </message>
    <message>
        <source>Take the star away</source>
        <translation>取消加星</translation>
    </message>
    <message>
        <source>The Ray at {address} does not take this program in.</source>
        <translation>{address} 处的 Ray 不接受此程序。</translation>
    </message>
    <message>
        <source>The address to download from holds more than a place.</source>
        <translation>下载地址中含有多余的内容。</translation>
    </message>
    <message>
        <source>The answer of {base_url} about {repository} is damaged.</source>
        <translation>{base_url} 关于 {repository} 的应答已损坏。</translation>
    </message>
    <message>
        <source>The bit labels of this request are damaged.</source>
        <translation>此请求的位标签已损坏。</translation>
    </message>
    <message>
        <source>The bits of the region&apos;s picture are not those of this model.</source>
        <translation>区域所属图片的比特不是这个模型的。</translation>
    </message>
    <message>
        <source>The certificate of {0} is not valid at the time this computer shows.</source>
        <translation>按本机时间，{0} 的证书无效。</translation>
    </message>
    <message>
        <source>The certificate of {0} is signed by nobody this computer trusts.</source>
        <translation>{0} 的证书不是由本机信任的机构签发。</translation>
    </message>
    <message>
        <source>The certificates that {named} names cannot be read.</source>
        <translation>无法读取 {named} 指定的证书。</translation>
    </message>
    <message>
        <source>The colours of the photo&apos;s file cannot be kept; the picture is saved in sRGB.</source>
        <translation>无法保留照片文件的色彩；图片将以 sRGB 保存。</translation>
    </message>
    <message>
        <source>The config.json of the {part_word} cannot be used: {why}.</source>
        <translation>{part_word}的 config.json 无法使用：{why}。</translation>
    </message>
    <message>
        <source>The conversion ended with code {exit_code}.</source>
        <translation>转换以代码 {exit_code} 结束。</translation>
    </message>
    <message>
        <source>The conversion failed: {error}.</source>
        <translation>转换出错：{error}。</translation>
    </message>
    <message>
        <source>The conversion was ended by the system, which happens when memory runs out.</source>
        <translation>转换被系统终止，内存耗尽时会发生这种情况。</translation>
    </message>
    <message>
        <source>The cut-out cannot be used</source>
        <translation>抠图无法使用</translation>
    </message>
    <message>
        <source>The cut-out could not be made: {error}</source>
        <translation>无法生成抠图：{error}</translation>
    </message>
    <message>
        <source>The cut-out could not be saved: {error}</source>
        <translation>无法保存抠图：{error}</translation>
    </message>
    <message>
        <source>The cut-out covers the whole photo.</source>
        <translation>抠图覆盖了整张照片。</translation>
    </message>
    <message>
        <source>The cut-out is empty.</source>
        <translation>抠图是空的。</translation>
    </message>
    <message>
        <source>The cut-out is not ready yet</source>
        <translation>抠图尚未就绪</translation>
    </message>
    <message>
        <source>The cut-out is only {width} × {height} pixels, too small to show anything.</source>
        <translation>抠图只有 {width} × {height} 像素，太小，看不出内容。</translation>
    </message>
    <message>
        <source>The cut-out is {mask} and the photo {width} × {height} pixels.</source>
        <translation>抠图为 {mask}，而照片为 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>The cut-out of this request has the wrong size or format.</source>
        <translation>此请求的抠图尺寸或格式不对。</translation>
    </message>
    <message>
        <source>The cut-out of this request is damaged.</source>
        <translation>此请求的抠图已损坏。</translation>
    </message>
    <message>
        <source>The cut-out was made in a simpler way</source>
        <translation>抠图改用了较简单的方式</translation>
    </message>
    <message>
        <source>The details say where; copy them into a report.</source>
        <translation>详情说明了位置；请复制到报告中。</translation>
    </message>
    <message>
        <source>The disk is full</source>
        <translation>磁盘已满</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>磁盘已满。</translation>
    </message>
    <message>
        <source>The disk is nearly full</source>
        <translation>磁盘快满了</translation>
    </message>
    <message>
        <source>The disk of {parent} is full.</source>
        <translation>{parent} 的磁盘已满。</translation>
    </message>
    <message>
        <source>The disk that holds {folder} is full.</source>
        <translation>{folder} 所在的磁盘已满。</translation>
    </message>
    <message>
        <source>The download stopped</source>
        <translation>下载已停止</translation>
    </message>
    <message>
        <source>The engine could not be started: {error}</source>
        <translation>无法启动引擎：{error}</translation>
    </message>
    <message>
        <source>The engine ended without a word.</source>
        <translation>引擎意外终止，没有任何说明。</translation>
    </message>
    <message>
        <source>The engine failed: {error}.</source>
        <translation>引擎出错：{error}。</translation>
    </message>
    <message>
        <source>The engine is not running.</source>
        <translation>引擎未在运行。</translation>
    </message>
    <message>
        <source>The engine stopped</source>
        <translation>引擎已停止</translation>
    </message>
    <message>
        <source>The example is ready. Press Generate and watch the picture form from coarse to fine, in about {0} seconds.</source>
        <translation>示例已就绪。按“生成”，看图片由粗到细地成形，约需 {0} 秒。</translation>
    </message>
    <message>
        <source>The example is ready. Press Generate and watch the picture form from coarse to fine.</source>
        <translation>示例已就绪。按“生成”，看图片由粗到细地成形。</translation>
    </message>
    <message>
        <source>The file could not be opened: {error}</source>
        <translation>无法打开文件：{error}</translation>
    </message>
    <message>
        <source>The file is empty</source>
        <translation>文件是空的</translation>
    </message>
    <message>
        <source>The file is missing</source>
        <translation>文件不见了</translation>
    </message>
    <message>
        <source>The file is whole. A newer version of this program may know it; Help › Copy diagnostics has what a report needs.</source>
        <translation>文件是完整的。本程序的新版本可能认识它；“帮助 › 复制诊断信息”包含报告所需的内容。</translation>
    </message>
    <message>
        <source>The folder cannot be written</source>
        <translation>文件夹无法写入</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be made: {reason}.</source>
        <translation>无法创建文件夹 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>The folder {folder} holds a job already.</source>
        <translation>文件夹 {folder} 中已有一个任务。</translation>
    </message>
    <message>
        <source>The folder {folder} holds other files and no job.</source>
        <translation>文件夹 {folder} 中是其他文件，没有任务。</translation>
    </message>
    <message>
        <source>The framing of a cut-out is either “fit” or “reference”.</source>
        <translation>抠图的取景方式是“fit”或“reference”。</translation>
    </message>
    <message>
        <source>The further photos of this request are damaged.</source>
        <translation>此请求的其他照片已损坏。</translation>
    </message>
    <message>
        <source>The graphics card stopped answering</source>
        <translation>显卡停止响应</translation>
    </message>
    <message>
        <source>The history cannot be read</source>
        <translation>无法读取历史记录</translation>
    </message>
    <message>
        <source>The history cannot be read: {error}.</source>
        <translation>无法读取历史记录：{error}。</translation>
    </message>
    <message>
        <source>The history cannot be written</source>
        <translation>无法写入历史记录</translation>
    </message>
    <message>
        <source>The history {where} cannot be written: {reason}.</source>
        <translation>无法写入历史记录 {where}：{reason}。</translation>
    </message>
    <message>
        <source>The job in {folder} was begun by another version.</source>
        <translation>{folder} 中的任务是由另一版本开始的。</translation>
    </message>
    <message>
        <source>The job in {folder} was begun with {found}, and {bundle} is to draw.</source>
        <translation>{folder} 中的任务是用 {found} 开始的，而现在要用 {bundle} 绘制。</translation>
    </message>
    <message>
        <source>The kept scale {scale} has {bits}, and this picture has {shape}.</source>
        <translation>保留的尺度 {scale} 有 {bits}，而此图片有 {shape}。</translation>
    </message>
    <message>
        <source>The last word is not used: {0}</source>
        <translation>最后一个词没有用上：{0}</translation>
    </message>
    <message>
        <source>The last {0} words are not used: {1}</source>
        <translation>最后 {0} 个词没有用上：{1}</translation>
    </message>
    <message>
        <source>The learned part for {role} was not used: it failed.</source>
        <translation>未使用学习得到的部分（{role}）：它出错了。</translation>
    </message>
    <message>
        <source>The learned part for {role} was not used: {why}.</source>
        <translation>未使用学习得到的部分（{role}）：{why}。</translation>
    </message>
    <message>
        <source>The licence has changed</source>
        <translation>许可证已更改</translation>
    </message>
    <message>
        <source>The licence is not accepted yet</source>
        <translation>尚未接受许可证</translation>
    </message>
    <message>
        <source>The licence of {title} ({licence}) was not accepted yet.</source>
        <translation>尚未接受 {title} 的许可证（{licence}）。</translation>
    </message>
    <message>
        <source>The list could not be read: {error}</source>
        <translation>无法读取列表：{error}</translation>
    </message>
    <message>
        <source>The list has no column “prompt”.</source>
        <translation>列表没有“prompt”列。</translation>
    </message>
    <message>
        <source>The list is no CSV that can be read: its line {number} is damaged.</source>
        <translation>列表不是可读取的 CSV：第 {number} 行有损坏。</translation>
    </message>
    <message>
        <source>The list makes {count:,} pictures; {most} are the limit.</source>
        <translation>列表会产生 {count:,} 张图片；上限为 {most} 张。</translation>
    </message>
    <message>
        <source>The list of packages {0} cannot be read.</source>
        <translation>无法读取软件包清单 {0}。</translation>
    </message>
    <message>
        <source>The list of packages {0} is damaged.</source>
        <translation>软件包清单 {0} 已损坏。</translation>
    </message>
    <message>
        <source>The list of requests {path} cannot be read: {reason}.</source>
        <translation>无法读取请求列表 {path}：{reason}。</translation>
    </message>
    <message>
        <source>The list {path} cannot be read: {reason}.</source>
        <translation>无法读取列表 {path}：{reason}。</translation>
    </message>
    <message>
        <source>The list {path} is larger than {most} MB.</source>
        <translation>列表 {path} 大于 {most} MB。</translation>
    </message>
    <message>
        <source>The list {path} is not UTF-8 text.</source>
        <translation>列表 {path} 不是 UTF-8 文本。</translation>
    </message>
    <message>
        <source>The list&apos;s columns {unknown} are not used.</source>
        <translation>列表的列 {unknown} 未被使用。</translation>
    </message>
    <message>
        <source>The log says why.</source>
        <translation>日志中写明了原因。</translation>
    </message>
    <message>
        <source>The look strength</source>
        <translation>外观强度</translation>
    </message>
    <message>
        <source>The mask cannot be read or written: {error}</source>
        <translation>蒙版无法读取或写入：{error}</translation>
    </message>
    <message>
        <source>The mask could not be changed: {error}</source>
        <translation>无法更改蒙版：{error}</translation>
    </message>
    <message>
        <source>The mask has another size than the photo, which is {width} × {height} pixels.</source>
        <translation>蒙版与照片的尺寸不同，照片为 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>The mask has another size than the picture.</source>
        <translation>蒙版与图片的尺寸不同。</translation>
    </message>
    <message>
        <source>The mask {path} is {width} × {height} pixels and the photo {photo_width} × {photo_height}.</source>
        <translation>蒙版 {path} 为 {width} × {height} 像素，而照片为 {photo_width} × {photo_height}。</translation>
    </message>
    <message>
        <source>The model cannot be opened</source>
        <translation>模型无法打开</translation>
    </message>
    <message>
        <source>The model cannot be written to {folder}: {reason}.</source>
        <translation>无法将模型写入 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>The model in {folder} cannot be read: {reason}.</source>
        <translation>无法读取 {folder} 中的模型：{reason}。</translation>
    </message>
    <message>
        <source>The model is brought from the computer&apos;s memory piece by piece. The slowest way.</source>
        <translation>模型从电脑内存中一块一块地取用，速度最慢。</translation>
    </message>
    <message>
        <source>The model is not loaded</source>
        <translation>模型未加载</translation>
    </message>
    <message>
        <source>The model is not loaded.</source>
        <translation>模型未加载。</translation>
    </message>
    <message>
        <source>The model is stored in a smaller form, and pictures differ a little.</source>
        <translation>模型以更紧凑的形式存放，画面会略有不同。</translation>
    </message>
    <message>
        <source>The model is stored in a smaller form, so pictures differ a little from those of the larger plans.</source>
        <translation>模型以更紧凑的形式存放，因此画面与较大方案的略有不同。</translation>
    </message>
    <message>
        <source>The model needs {needed}, and {place} has {free} free.</source>
        <translation>模型需要 {needed}，而 {place} 只有 {free} 可用。</translation>
    </message>
    <message>
        <source>The model “{manifest}” is damaged: the content of {name} is not what it was (its SHA-256 differs).</source>
        <translation>模型“{manifest}”已损坏：{name} 的内容与原来不同（SHA-256 不一致）。</translation>
    </message>
    <message>
        <source>The model “{manifest}” is damaged: {name} has {size} bytes instead of {entry}.</source>
        <translation>模型“{manifest}”已损坏：{name} 有 {size} 字节，而应为 {entry}。</translation>
    </message>
    <message>
        <source>The model “{manifest}” is damaged: {name} is no sound weights file.</source>
        <translation>模型“{manifest}”已损坏：{name} 不是完好的权重文件。</translation>
    </message>
    <message>
        <source>The model “{manifest}” is incomplete: {name} is missing.</source>
        <translation>模型“{manifest}”不完整：缺少 {name}。</translation>
    </message>
    <message>
        <source>The model “{manifest}” is refused: {name} leads out of its folder.</source>
        <translation>已拒绝模型“{manifest}”：{name} 指向其文件夹之外。</translation>
    </message>
    <message>
        <source>The model “{text}” is not on this computer.</source>
        <translation>模型“{text}”不在这台电脑上。</translation>
    </message>
    <message>
        <source>The model&apos;s description ({manifest}) is damaged: {why}.</source>
        <translation>模型的描述（{manifest}）已损坏：{why}。</translation>
    </message>
    <message>
        <source>The model&apos;s name</source>
        <translation>模型名称</translation>
    </message>
    <message>
        <source>The name has no effect on the cut-out: finding by name needs the networks for better cut-outs.</source>
        <translation>名称对抠图没有影响：按名称查找需要“更好的抠图”网络。</translation>
    </message>
    <message>
        <source>The name of a preset has 1 to {most} characters.</source>
        <translation>预设名称为 1 到 {most} 个字符。</translation>
    </message>
    <message>
        <source>The negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>The network for cut-outs is damaged.</source>
        <translation>抠图网络已损坏。</translation>
    </message>
    <message>
        <source>The network for cut-outs is missing or damaged.</source>
        <translation>抠图网络缺失或已损坏。</translation>
    </message>
    <message>
        <source>The network that knows things by name is damaged.</source>
        <translation>按名称识别物体的网络已损坏。</translation>
    </message>
    <message>
        <source>The network that knows things by name is missing or damaged.</source>
        <translation>按名称识别物体的网络缺失或已损坏。</translation>
    </message>
    <message>
        <source>The networks for the cut-out ended unexpectedly; it was made without them. They are started again later.</source>
        <translation>抠图用的网络意外终止；已不用它们完成抠图，稍后会重新启动。</translation>
    </message>
    <message>
        <source>The new version arrived damaged.</source>
        <translation>下载的新版本已损坏。</translation>
    </message>
    <message>
        <source>The new version of EchoGen does not open. The one before is used again.</source>
        <translation>EchoGen 的新版本无法打开，已恢复使用上一版本。</translation>
    </message>
    <message>
        <source>The number of scales that are kept in a region must be a whole number from 0 to {most}.</source>
        <translation>区域内保留的尺度数必须是 0 到 {most} 之间的整数。</translation>
    </message>
    <message>
        <source>The open model cannot be told where the subject stands; its place is not used.</source>
        <translation>当前模型不能指定主体的位置；未使用该位置。</translation>
    </message>
    <message>
        <source>The open model cannot take up its {0} kept scales; Generate begins with the first.</source>
        <translation>当前模型无法沿用它保留的 {0} 个尺度；生成将从第一个尺度开始。</translation>
    </message>
    <message>
        <source>The open model cannot take up the region of this picture; Generate draws a whole one.</source>
        <translation>打开的模型无法接着画这张图片的区域；“生成”会画出整张图片。</translation>
    </message>
    <message>
        <source>The open model does not draw {0} × {1}; the shape stays as it is.</source>
        <translation>当前模型不支持 {0} × {1}，形状保持不变。</translation>
    </message>
    <message>
        <source>The packages could not be installed: {0}</source>
        <translation>无法安装软件包：{0}</translation>
    </message>
    <message>
        <source>The part that was drawn is kept.</source>
        <translation>已保留画好的部分。</translation>
    </message>
    <message>
        <source>The photo could not be opened: {error}</source>
        <translation>无法打开照片：{error}</translation>
    </message>
    <message>
        <source>The photo has more than 8 bits a colour; the picture is saved with 8.</source>
        <translation>照片每个颜色通道超过 8 位；图片将以 8 位保存。</translation>
    </message>
    <message>
        <source>The photo is damaged</source>
        <translation>照片已损坏</translation>
    </message>
    <message>
        <source>The photo is only {width} × {height} pixels, too small to put something into.</source>
        <translation>照片只有 {width} × {height} 像素，太小，放不进东西。</translation>
    </message>
    <message>
        <source>The photo is too large</source>
        <translation>照片太大</translation>
    </message>
    <message>
        <source>The photo is too small</source>
        <translation>照片太小</translation>
    </message>
    <message>
        <source>The photo is {width} × {height} pixels, and the region is of one of {photo_width} × {photo_height}.</source>
        <translation>照片为 {width} × {height} 像素，而区域属于 {photo_width} × {photo_height} 像素的照片。</translation>
    </message>
    <message>
        <source>The photo it goes into is not there any more.</source>
        <translation>它要放入的照片已经不在了。</translation>
    </message>
    <message>
        <source>The picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>The picture could not be put into the photo: {error}</source>
        <translation>图片无法放回照片：{error}</translation>
    </message>
    <message>
        <source>The picture could not be saved: {error}</source>
        <translation>无法保存图片：{error}</translation>
    </message>
    <message>
        <source>The picture full screen</source>
        <translation>全屏显示图片</translation>
    </message>
    <message>
        <source>The picture full screen, and back</source>
        <translation>全屏显示图片，再次则返回</translation>
    </message>
    <message>
        <source>The picture is back in the history. Delete the file in its folder.</source>
        <translation>图片已回到历史记录中。请在其文件夹中删除该文件。</translation>
    </message>
    <message>
        <source>The picture itself can still be opened.</source>
        <translation>图片本身仍可打开。</translation>
    </message>
    <message>
        <source>The picture moves; its first frame is used.</source>
        <translation>这是动图；使用其第一帧。</translation>
    </message>
    <message>
        <source>The place of the subject lies outside of the region.</source>
        <translation>主体的位置在区域之外。</translation>
    </message>
    <message>
        <source>The placement is mirrored or it is not.</source>
        <translation>位置的镜像只能是或否。</translation>
    </message>
    <message>
        <source>The placement of this request is damaged.</source>
        <translation>此请求中的位置已损坏。</translation>
    </message>
    <message>
        <source>The placement&apos;s centre ({x:g}, {y:g}) lies outside the picture.</source>
        <translation>位置的中心（{x:g}，{y:g}）在图片之外。</translation>
    </message>
    <message>
        <source>The placement&apos;s size must be from {smallest:g} to {largest:g}; 1 is the picture&apos;s shorter side.</source>
        <translation>位置的大小必须在 {smallest:g} 到 {largest:g} 之间；1 表示图片的短边。</translation>
    </message>
    <message>
        <source>The placement&apos;s turn must be from -180 to 180 degrees.</source>
        <translation>位置的旋转必须在 -180 到 180 度之间。</translation>
    </message>
    <message>
        <source>The placement&apos;s {name} must be a number.</source>
        <translation>位置的 {name} 必须是数字。</translation>
    </message>
    <message>
        <source>The plan of the job in {folder} is damaged.</source>
        <translation>{folder} 中任务的计划已损坏。</translation>
    </message>
    <message>
        <source>The preset {path} cannot be read: {reason}.</source>
        <translation>无法读取预设 {path}：{reason}。</translation>
    </message>
    <message>
        <source>The previews&apos; file {path} does not belong to this model.</source>
        <translation>预览文件 {path} 不属于此模型。</translation>
    </message>
    <message>
        <source>The previews&apos; file {path} of this model is damaged.</source>
        <translation>此模型的预览文件 {path} 已损坏。</translation>
    </message>
    <message>
        <source>The prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>The prompt is empty.</source>
        <translation>提示词是空的。</translation>
    </message>
    <message>
        <source>The prompt strength</source>
        <translation>提示词强度</translation>
    </message>
    <message>
        <source>The prompts {path} cannot be read.</source>
        <translation>无法读取提示词文件 {path}。</translation>
    </message>
    <message>
        <source>The proxy asks for a name and a password.</source>
        <translation>代理要求用户名和密码。</translation>
    </message>
    <message>
        <source>The proxy that {proxy_name} names cannot be used.</source>
        <translation>无法使用 {proxy_name} 指定的代理。</translation>
    </message>
    <message>
        <source>The published files do not fit</source>
        <translation>发布的文件不符合要求</translation>
    </message>
    <message>
        <source>The publisher may have moved it. Look for a newer version of this program, or import the files from a folder.</source>
        <translation>发布者可能已将其移走。请查看是否有此程序的新版本，或从文件夹导入文件。</translation>
    </message>
    <message>
        <source>The queue is not complete</source>
        <translation>队列不完整</translation>
    </message>
    <message>
        <source>The region covers the whole picture.</source>
        <translation>区域覆盖了整张图片。</translation>
    </message>
    <message>
        <source>The region is empty.</source>
        <translation>区域是空的。</translation>
    </message>
    <message>
        <source>The region is too small: nothing in it would be drawn anew.</source>
        <translation>区域太小：里面没有什么会被重画。</translation>
    </message>
    <message>
        <source>The region is {mask} pixels and the picture {picture}.</source>
        <translation>区域为 {mask} 像素，而图片为 {picture}。</translation>
    </message>
    <message>
        <source>The region is {region} pixels and the picture {schedule}.</source>
        <translation>区域为 {region} 像素，而图片为 {schedule}。</translation>
    </message>
    <message>
        <source>The region is {width} × {height} pixels and the photo {photo_width} × {photo_height}.</source>
        <translation>区域为 {width} × {height} 像素，而照片为 {photo_width} × {photo_height}。</translation>
    </message>
    <message>
        <source>The region needs the bits of all {count} scales of its picture, and there are {given}.</source>
        <translation>区域需要其图片全部 {count} 个尺度的比特，而现有 {given} 个。</translation>
    </message>
    <message>
        <source>The region of this request is damaged.</source>
        <translation>此请求的区域已损坏。</translation>
    </message>
    <message>
        <source>The request {id} failed: {error}</source>
        <translation>请求 {id} 失败：{error}</translation>
    </message>
    <message>
        <source>The same without snapping</source>
        <translation>同上，但不吸附</translation>
    </message>
    <message>
        <source>The seed must be a whole number from 0 to {most}.</source>
        <translation>种子必须是 0 到 {most} 的整数。</translation>
    </message>
    <message>
        <source>The semantic encoder&apos;s input of {input_size} pixels does not divide into its patches of {patch_size}.</source>
        <translation>语义编码器的 {input_size} 像素输入不能被 {patch_size} 的图块整除。</translation>
    </message>
    <message>
        <source>The server answers {name} with {status_code}.</source>
        <translation>服务器对 {name} 的应答为 {status_code}。</translation>
    </message>
    <message>
        <source>The server does not give {job} to this program ({status}).</source>
        <translation>服务器不向此程序提供 {job}（{status}）。</translation>
    </message>
    <message>
        <source>The server does not give {name} to this program.</source>
        <translation>服务器不向此程序提供 {name}。</translation>
    </message>
    <message>
        <source>The server does not say how large {name} is.</source>
        <translation>服务器没有说明 {name} 有多大。</translation>
    </message>
    <message>
        <source>The server gives no hash for {name}, so it cannot be checked.</source>
        <translation>服务器没有给出 {name} 的哈希值，因此无法校验。</translation>
    </message>
    <message>
        <source>The server has no file of {0} {1} that the list allows.</source>
        <translation>服务器上没有清单允许的 {0} {1} 文件。</translation>
    </message>
    <message>
        <source>The server has {total} for {part}, and {first} was shown to you.</source>
        <translation>服务器上 {part} 为 {total}，而向您显示的是 {first}。</translation>
    </message>
    <message>
        <source>The server of the packages cannot be reached.</source>
        <translation>无法连接软件包服务器。</translation>
    </message>
    <message>
        <source>The server refuses</source>
        <translation>服务器拒绝</translation>
    </message>
    <message>
        <source>The server sends this download in circles.</source>
        <translation>服务器使此下载陷入循环。</translation>
    </message>
    <message>
        <source>The server sends this download to an address that is none.</source>
        <translation>服务器把此下载转到了一个无效的地址。</translation>
    </message>
    <message>
        <source>The server sends this download to an unsafe address ({scheme}://…).</source>
        <translation>服务器将此下载转到不安全的地址（{scheme}://…）。</translation>
    </message>
    <message>
        <source>The server sends this download to an unsafe address ({url}://…).</source>
        <translation>服务器将此下载转到不安全的地址（{url}://…）。</translation>
    </message>
    <message>
        <source>The server {0} answers with error {1}.</source>
        <translation>服务器 {0} 返回错误 {1}。</translation>
    </message>
    <message>
        <source>The server {0} cannot be reached.</source>
        <translation>无法连接服务器 {0}。</translation>
    </message>
    <message>
        <source>The set-up stopped</source>
        <translation>安装已停止</translation>
    </message>
    <message>
        <source>The settings cannot be written to {path}: {reason}.</source>
        <translation>无法将设置写入 {path}：{reason}。</translation>
    </message>
    <message>
        <source>The settings in {name} are damaged.</source>
        <translation>{name} 中的设置已损坏。</translation>
    </message>
    <message>
        <source>The sheet could not be saved: {error}</source>
        <translation>无法保存总图：{error}</translation>
    </message>
    <message>
        <source>The size is width and height, each from 16 to 4096 pixels.</source>
        <translation>尺寸为宽和高，各为 16 到 4096 像素。</translation>
    </message>
    <message>
        <source>The subject could not be found: {error}</source>
        <translation>未能找到主体：{error}</translation>
    </message>
    <message>
        <source>The subject fills only {max} % of the photo. Come closer, or crop the photo.</source>
        <translation>主体只占照片的 {max} %。请靠近些拍摄，或裁剪照片。</translation>
    </message>
    <message>
        <source>The subject is blurred in the photo. A sharp photo keeps its detail.</source>
        <translation>主体在照片中是模糊的。清晰的照片能保留细节。</translation>
    </message>
    <message>
        <source>The subject is cut off at the bottom of the photo: pictures cut it off as well, or invent what is missing.</source>
        <translation>主体在照片底部被截断：图片中也会在那里截断，或者补出缺失的部分。</translation>
    </message>
    <message>
        <source>The subject is cut off at the left of the photo: what is missing is invented.</source>
        <translation>主体在照片左侧被截断：缺失的部分会由模型补画。</translation>
    </message>
    <message>
        <source>The subject is cut off at the right of the photo: what is missing is invented.</source>
        <translation>主体在照片右侧被截断：缺失的部分会由模型补画。</translation>
    </message>
    <message>
        <source>The subject is cut off at the top of the photo: what is missing is invented.</source>
        <translation>主体在照片顶部被截断：缺失的部分会由模型补画。</translation>
    </message>
    <message>
        <source>The subject is only {width} × {height} pixels; a photo that shows it with {side} or more keeps its detail.</source>
        <translation>主体只有 {width} × {height} 像素；达到 {side} 像素或更大的照片才能保留细节。</translation>
    </message>
    <message>
        <source>The subject name</source>
        <translation>主体名称</translation>
    </message>
    <message>
        <source>The subject strength</source>
        <translation>主体强度</translation>
    </message>
    <message>
        <source>The subject {digest} of this request is missing.</source>
        <translation>此请求的主体 {digest} 缺失。</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>The text encoder knows {vocab_size} tokens, its word list has {tokenizer}.</source>
        <translation>文本编码器有 {vocab_size} 个词元，而其词表有 {tokenizer} 个。</translation>
    </message>
    <message>
        <source>The version of {repository} that was begun is no longer there.</source>
        <translation>已开始下载的 {repository} 的版本已不存在。</translation>
    </message>
    <message>
        <source>The version you have stays.</source>
        <translation>现有版本保持不变。</translation>
    </message>
    <message>
        <source>The weight “{name}” is in {path} and in another file.</source>
        <translation>权重“{name}”同时在 {path} 和另一个文件中。</translation>
    </message>
    <message>
        <source>The weight “{name}” of {file} has the shape {shape}, which does not fit.</source>
        <translation>{file} 的权重“{name}”的形状是 {shape}，不符合要求。</translation>
    </message>
    <message>
        <source>The weight “{published}” of the {part_word} ({where}) has the shape {shape}, not {expected}.</source>
        <translation>{part_word}的权重“{published}”（{where}）的形状是 {shape}，而不是 {expected}。</translation>
    </message>
    <message>
        <source>The weight “{published}” of {file} has the shape {shape}, not {expected}.</source>
        <translation>{file} 的权重“{published}”的形状是 {shape}，而不是 {expected}。</translation>
    </message>
    <message>
        <source>The weight “{published}” should be zero and is not.</source>
        <translation>权重“{published}”应为零，但不是。</translation>
    </message>
    <message>
        <source>The weights file {path} cannot be read: {error}.</source>
        <translation>无法读取权重文件 {path}：{error}。</translation>
    </message>
    <message>
        <source>The weights were not fetched. Read {folder}, or look for a newer version of this program.</source>
        <translation>未下载权重。请阅读 {folder}，或查看是否有此程序的新版本。</translation>
    </message>
    <message>
        <source>The whole model stays in memory. The fastest way.</source>
        <translation>整个模型都留在内存中，速度最快。</translation>
    </message>
    <message>
        <source>The words of the text encoder cannot be read from “{folder}/{tokenizer_file}”.</source>
        <translation>无法从“{folder}/{tokenizer_file}”读取文本编码器的词表。</translation>
    </message>
    <message>
        <source>The work is done in smaller steps, which is slower and takes less memory.</source>
        <translation>分成更小的步骤计算：速度较慢，占用内存较少。</translation>
    </message>
    <message>
        <source>The {part_word} of this model cannot be built from its description.</source>
        <translation>无法根据描述构建此模型的{part_word}。</translation>
    </message>
    <message>
        <source>The {part_word} of this model does not fit its transformer.</source>
        <translation>此模型的{part_word}与其 Transformer 不匹配。</translation>
    </message>
    <message>
        <source>The {part_word} of this model has “{name}” twice.</source>
        <translation>此模型的{part_word}中“{name}”出现两次。</translation>
    </message>
    <message>
        <source>The {what} is longer than this model reads; it stops before “{dropped}”.</source>
        <translation>{what}超出此模型能读取的长度；到“{dropped}”之前为止。</translation>
    </message>
    <message>
        <source>The {words} of this model {fault} weights, the first “{first}”.</source>
        <translation>此模型的 {words} {fault}权重，第一个是“{first}”。</translation>
    </message>
    <message>
        <source>The {words}&apos;s weight “{name}” has the shape {shape}, not {expected}.</source>
        <translation>{words} 的权重“{name}”形状为 {shape}，而不是 {expected}。</translation>
    </message>
    <message>
        <source>There are no model files in {folder}.</source>
        <translation>{folder} 中没有模型文件。</translation>
    </message>
    <message>
        <source>There are no photos in {folder}.</source>
        <translation>{folder} 中没有照片。</translation>
    </message>
    <message>
        <source>There are no prompts in {path}.</source>
        <translation>{path} 中没有提示词。</translation>
    </message>
    <message>
        <source>There are no weights in {folder}.</source>
        <translation>{folder} 中没有权重。</translation>
    </message>
    <message>
        <source>There are {count} numbers for {scales} scales.</source>
        <translation>{scales} 个尺度却有 {count} 个数。</translation>
    </message>
    <message>
        <source>There are {most} presets already.</source>
        <translation>已有 {most} 个预设。</translation>
    </message>
    <message>
        <source>There are: {models}.</source>
        <translation>有：{models}。</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>没有文件 {path}。</translation>
    </message>
    <message>
        <source>There is no folder of subjects {folder}.</source>
        <translation>没有主体文件夹 {folder}。</translation>
    </message>
    <message>
        <source>There is no folder {folder}.</source>
        <translation>没有文件夹 {folder}。</translation>
    </message>
    <message>
        <source>There is no graphics card that can be used: the processor draws, {seconds} a picture.</source>
        <translation>没有可用的显卡：由处理器绘制，每张图片需要{seconds}。</translation>
    </message>
    <message>
        <source>There is no list of packages for this computer ({0}, {1}).</source>
        <translation>没有适合本机的软件包清单（{0}，{1}）。</translation>
    </message>
    <message>
        <source>There is no model in {folder}: it has no {manifest}.</source>
        <translation>{folder} 中没有模型：缺少 {manifest}。</translation>
    </message>
    <message>
        <source>There is no model in {text}: it has no {manifest}.</source>
        <translation>{text} 中没有模型：缺少 {manifest}。</translation>
    </message>
    <message>
        <source>There is no model “{name}”.</source>
        <translation>没有名为“{name}”的模型。</translation>
    </message>
    <message>
        <source>There is no prompt in the list.</source>
        <translation>列表中没有提示词。</translation>
    </message>
    <message>
        <source>There is no prompt in {path}.</source>
        <translation>{path} 中没有提示词。</translation>
    </message>
    <message>
        <source>There is no request in {path} that can be read.</source>
        <translation>{path} 中没有可读取的请求。</translation>
    </message>
    <message>
        <source>There is no {tokenizer_file} in {text}.</source>
        <translation>{text} 中没有 {tokenizer_file}。</translation>
    </message>
    <message>
        <source>There is not enough memory to enlarge the picture by {title}.</source>
        <translation>内存不足，无法用 {title} 放大图片。</translation>
    </message>
    <message>
        <source>These settings do not fit</source>
        <translation>这些设置不合适</translation>
    </message>
    <message>
        <source>Thing {0}</source>
        <translation>物体 {0}</translation>
    </message>
    <message>
        <source>This EchoGen has no packages for graphics cards by {0}: it draws with the processor.</source>
        <translation>此 EchoGen 没有适用于 {0} 显卡的软件包，因此用处理器绘图。</translation>
    </message>
    <message>
        <source>This Linux is too old for EchoGen: its C library is {0}, and 2.34 is needed.</source>
        <translation>此 Linux 系统对 EchoGen 而言过旧：C 库版本为 {0}，需要 2.34。</translation>
    </message>
    <message>
        <source>This belongs</source>
        <translation>属于主体</translation>
    </message>
    <message>
        <source>This cannot be used</source>
        <translation>无法使用</translation>
    </message>
    <message>
        <source>This card is of a generation without bfloat16; pictures take several times as long.</source>
        <translation>这一代显卡没有 bfloat16；生成图片的时间是平常的数倍。</translation>
    </message>
    <message>
        <source>This computer has no device “{wanted}” that torch can use; it has {found}.</source>
        <translation>这台电脑没有 torch 能使用的设备“{wanted}”；它有 {found}。</translation>
    </message>
    <message>
        <source>This does not belong</source>
        <translation>不属于主体</translation>
    </message>
    <message>
        <source>This file does not hold the weights of a visual tokenizer.</source>
        <translation>此文件不含视觉分词器的权重。</translation>
    </message>
    <message>
        <source>This happens once. You can use the computer meanwhile.</source>
        <translation>只需进行一次，期间可以照常使用电脑。</translation>
    </message>
    <message>
        <source>This is no access token.</source>
        <translation>这不是访问令牌。</translation>
    </message>
    <message>
        <source>This is no preset of EchoGen.</source>
        <translation>这不是 EchoGen 的预设。</translation>
    </message>
    <message>
        <source>This is no published size: its cut-out has {reference} pixels a side.</source>
        <translation>这不是已发布的尺寸：其抠图边长为 {reference} 像素。</translation>
    </message>
    <message>
        <source>This is not a picture</source>
        <translation>这不是图片</translation>
    </message>
    <message>
        <source>This is not a request.</source>
        <translation>这不是请求。</translation>
    </message>
    <message>
        <source>This kind cannot be read</source>
        <translation>无法读取这种文件</translation>
    </message>
    <message>
        <source>This model does not draw {width}x{height}.</source>
        <translation>此模型不绘制 {width}x{height}。</translation>
    </message>
    <message>
        <source>This model does not know {0} and {1} more.</source>
        <translation>此模型不认识 {0} 以及另外 {1} 个词。</translation>
    </message>
    <message>
        <source>This model does not know {0}.</source>
        <translation>此模型不认识 {0}。</translation>
    </message>
    <message>
        <source>This model does not know {listed}; {they} will not show.</source>
        <translation>此模型不认识{listed}；{they}不会出现在图片中。</translation>
    </message>
    <message>
        <source>This model has format {data}, and this program reads formats up to {format}.</source>
        <translation>此模型的格式为 {data}，本程序可读取的格式最高为 {format}。</translation>
    </message>
    <message>
        <source>This model is unsure of {0} and {1} more.</source>
        <translation>此模型对 {0} 以及另外 {1} 个词没有把握。</translation>
    </message>
    <message>
        <source>This model is unsure of {0}.</source>
        <translation>此模型对 {0} 没有把握。</translation>
    </message>
    <message>
        <source>This model reads English.</source>
        <translation>此模型只读英文。</translation>
    </message>
    <message>
        <source>This picture needs about {needed} and {free} of {device} is free.</source>
        <translation>此图片约需 {needed}，而 {device} 中有 {free} 可用。</translation>
    </message>
    <message>
        <source>This picture was made with another version of {0}; the open one draws it in its own way.</source>
        <translation>这张图片是用另一版本的 {0} 绘制的；当前打开的版本会以自己的方式绘制。</translation>
    </message>
    <message>
        <source>This picture was made with {0}; the open model draws it in its own way.</source>
        <translation>这张图片是用 {0} 绘制的；当前打开的模型会以自己的方式绘制。</translation>
    </message>
    <message>
        <source>This preset was written by another version of this program.</source>
        <translation>此预设由本程序的另一版本写成。</translation>
    </message>
    <message>
        <source>This region cannot be used</source>
        <translation>此区域无法使用</translation>
    </message>
    <message>
        <source>This request has format {data}; this program reads format {format}.</source>
        <translation>此请求的格式为 {data}；此程序读取格式 {format}。</translation>
    </message>
    <message>
        <source>This request has no prompt.</source>
        <translation>此请求没有提示词。</translation>
    </message>
    <message>
        <source>This request is damaged.</source>
        <translation>此请求已损坏。</translation>
    </message>
    <message>
        <source>This request is too large to be read.</source>
        <translation>此请求太大，无法读取。</translation>
    </message>
    <message>
        <source>This should not happen</source>
        <translation>这本不该发生</translation>
    </message>
    <message>
        <source>This was made with {bundle}, and {identity} is open.</source>
        <translation>这是用 {bundle} 生成的，而打开的是 {identity}。</translation>
    </message>
    <message>
        <source>Thu</source>
        <translation>周四</translation>
    </message>
    <message>
        <source>Tint, outline, what the model sees</source>
        <translation>着色、轮廓、模型所见</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Too many photos</source>
        <translation>照片太多</translation>
    </message>
    <message>
        <source>Top-p must be a number from 0 to 1.</source>
        <translation>Top-p 必须是 0 到 1 的数。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Try again later, or import the files from a folder.</source>
        <translation>请稍后重试，或从文件夹导入文件。</translation>
    </message>
    <message>
        <source>Try again later, or set a mirror in the network settings.</source>
        <translation>请稍后重试，或在网络设置中填写镜像。</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>请稍后重试。</translation>
    </message>
    <message>
        <source>Try again to start it anew.</source>
        <translation>请重试以重新启动它。</translation>
    </message>
    <message>
        <source>Try again to start it.</source>
        <translation>请重试以启动它。</translation>
    </message>
    <message>
        <source>Try again, or draw on the processor.</source>
        <translation>请重试，或用处理器绘制。</translation>
    </message>
    <message>
        <source>Try again, or save it larger by resampling.</source>
        <translation>请重试，或改用重采样放大保存。</translation>
    </message>
    <message>
        <source>Try again; the version you have stays.</source>
        <translation>请重试；现有版本保持不变。</translation>
    </message>
    <message>
        <source>Try again; what is complete is kept.</source>
        <translation>请重试；已完成的部分会保留。</translation>
    </message>
    <message>
        <source>Try another address to download from, or import the files from a folder.</source>
        <translation>请尝试另一个下载地址，或从文件夹导入文件。</translation>
    </message>
    <message>
        <source>Try another address to download from, or try again later.</source>
        <translation>请尝试另一个下载地址，或稍后重试。</translation>
    </message>
    <message>
        <source>Try another address to download from.</source>
        <translation>请尝试另一个下载地址。</translation>
    </message>
    <message>
        <source>Tue</source>
        <translation>周二</translation>
    </message>
    <message>
        <source>Turn it left</source>
        <translation>向左旋转</translation>
    </message>
    <message>
        <source>Turn it right</source>
        <translation>向右旋转</translation>
    </message>
    <message>
        <source>Type it again.</source>
        <translation>请重新输入。</translation>
    </message>
    <message>
        <source>Type the name, or cut the photo.</source>
        <translation>请输入名称，或裁剪照片。</translation>
    </message>
    <message>
        <source>Ubuntu 22.04, Debian 12, Fedora 35 and newer have it.</source>
        <translation>Ubuntu 22.04、Debian 12、Fedora 35 及更新版本符合要求。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Unknown format</source>
        <translation>未知的格式</translation>
    </message>
    <message>
        <source>Unpacked.</source>
        <translation>已解压。</translation>
    </message>
    <message>
        <source>Unpacking. This takes a minute or two.</source>
        <translation>正在解压，需要一两分钟。</translation>
    </message>
    <message>
        <source>Unset HF_HUB_OFFLINE, or import the files from a folder.</source>
        <translation>请取消设置 HF_HUB_OFFLINE，或从文件夹导入文件。</translation>
    </message>
    <message>
        <source>Update the program, or get the model again.</source>
        <translation>请更新程序，或重新获取该模型。</translation>
    </message>
    <message>
        <source>Update the program.</source>
        <translation>请更新本程序。</translation>
    </message>
    <message>
        <source>Use .png, .webp or .jpg.</source>
        <translation>请使用 .png、.webp 或 .jpg。</translation>
    </message>
    <message>
        <source>Use a larger photo.</source>
        <translation>请用更大的照片。</translation>
    </message>
    <message>
        <source>Use a mask that was made for it.</source>
        <translation>请使用为它制作的蒙版。</translation>
    </message>
    <message>
        <source>Use a mask that was made for this photo.</source>
        <translation>请使用为这张照片制作的蒙版。</translation>
    </message>
    <message>
        <source>Use a picture that was drawn with it, or open another model.</source>
        <translation>请用它画的图片，或者打开另一个模型。</translation>
    </message>
    <message>
        <source>Use a region that was made for this photo.</source>
        <translation>请用为这张照片制作的区域。</translation>
    </message>
    <message>
        <source>Use a region that was made for this picture.</source>
        <translation>请用为这张图片制作的区域。</translation>
    </message>
    <message>
        <source>Use another mirror, or look for a newer EchoGen.</source>
        <translation>请换一个镜像，或查找更新的 EchoGen。</translation>
    </message>
    <message>
        <source>Use everything of this picture</source>
        <translation>使用这张图片的全部设置</translation>
    </message>
    <message>
        <source>Use fit or reference.</source>
        <translation>请使用 fit 或 reference。</translation>
    </message>
    <message>
        <source>Use its prompt</source>
        <translation>使用它的提示词</translation>
    </message>
    <message>
        <source>Use its seed</source>
        <translation>使用它的种子</translation>
    </message>
    <message>
        <source>Use the eighth preset</source>
        <translation>使用第八个预设</translation>
    </message>
    <message>
        <source>Use the fifth preset</source>
        <translation>使用第五个预设</translation>
    </message>
    <message>
        <source>Use the first preset</source>
        <translation>使用第一个预设</translation>
    </message>
    <message>
        <source>Use the fourth preset</source>
        <translation>使用第四个预设</translation>
    </message>
    <message>
        <source>Use the ninth preset</source>
        <translation>使用第九个预设</translation>
    </message>
    <message>
        <source>Use the photo the region was made for.</source>
        <translation>请用制作该区域时的照片。</translation>
    </message>
    <message>
        <source>Use the picture as a photo instead.</source>
        <translation>请改为把这张图片当作照片使用。</translation>
    </message>
    <message>
        <source>Use the second preset</source>
        <translation>使用第二个预设</translation>
    </message>
    <message>
        <source>Use the seventh preset</source>
        <translation>使用第七个预设</translation>
    </message>
    <message>
        <source>Use the sixth preset</source>
        <translation>使用第六个预设</translation>
    </message>
    <message>
        <source>Use the third preset</source>
        <translation>使用第三个预设</translation>
    </message>
    <message>
        <source>Use this cut-out</source>
        <translation>使用此抠图</translation>
    </message>
    <message>
        <source>Use values from 0 to 1.</source>
        <translation>请使用 0 到 1 之间的值。</translation>
    </message>
    <message>
        <source>Vary: the same with a new seed</source>
        <translation>变化：同样的设置，新的种子</translation>
    </message>
    <message>
        <source>Verify it under Models, or get it again.</source>
        <translation>请在“模型”中校验，或重新获取。</translation>
    </message>
    <message>
        <source>Verify or remove it.</source>
        <translation>请校验或移除它。</translation>
    </message>
    <message>
        <source>View</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Wait until it ends, or name another folder.</source>
        <translation>请等它结束，或指定另一个文件夹。</translation>
    </message>
    <message>
        <source>Wait until it is done, or close it.</source>
        <translation>请等它完成，或将它关闭。</translation>
    </message>
    <message>
        <source>Wait until that one is done.</source>
        <translation>请等待其完成。</translation>
    </message>
    <message>
        <source>Waiting for the server</source>
        <translation>正在等待服务器</translation>
    </message>
    <message>
        <source>Wed</source>
        <translation>周三</translation>
    </message>
    <message>
        <source>What has arrived is kept.</source>
        <translation>已下载的内容会保留。</translation>
    </message>
    <message>
        <source>What has arrived is safe. Try again.</source>
        <translation>已下载的内容会保留。请重试。</translation>
    </message>
    <message>
        <source>What is transparent in the photo is white in the picture.</source>
        <translation>照片中透明的部分在图片中为白色。</translation>
    </message>
    <message>
        <source>What was begun in {0} is removed at the next start.</source>
        <translation>之前在 {0} 中已开始的安装内容会在下次启动时删除。</translation>
    </message>
    <message>
        <source>What {name} carries is too large to be read.</source>
        <translation>{name} 携带的内容太大，无法读取。</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>滚轮</translation>
    </message>
    <message>
        <source>Write X,Y,SIZE[,TURN][,mirrored], for example 0.5,0.6,0.6.</source>
        <translation>请写成 X,Y,SIZE[,TURN][,mirrored]，例如 0.5,0.6,0.6。</translation>
    </message>
    <message>
        <source>Write a number.</source>
        <translation>请填写数字。</translation>
    </message>
    <message>
        <source>Write a prompt first</source>
        <translation>请先写提示词</translation>
    </message>
    <message>
        <source>Write a prompt, or take the line out.</source>
        <translation>请填写提示词，或删除该行。</translation>
    </message>
    <message>
        <source>Write alternatives as {red|blue}.</source>
        <translation>请将备选词写作 {red|blue}。</translation>
    </message>
    <message>
        <source>Write it as http://name:password@host:port in the network settings.</source>
        <translation>请在网络设置中按 http://用户名:密码@主机:端口 的格式填写。</translation>
    </message>
    <message>
        <source>Write one a line.</source>
        <translation>请每行写一条。</translation>
    </message>
    <message>
        <source>Write prompt in its first line, above the prompts.</source>
        <translation>请在第一行、提示词上方写上 prompt。</translation>
    </message>
    <message>
        <source>Write where it should be, press Generate and watch the picture form from coarse to fine.</source>
        <translation>写下它应该在哪里，按“生成”，看图片由粗到细地成形。</translation>
    </message>
    <message>
        <source>Your photo, cut-out and prompt are safe. Help › Copy diagnostics has what a report needs.</source>
        <translation>您的照片、抠图和提示词都没有丢失。“帮助 › 复制诊断信息”包含报告所需的内容。</translation>
    </message>
    <message>
        <source>Zoom at the pointer</source>
        <translation>在指针处缩放</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>a GIMP document</source>
        <translation>GIMP 文档</translation>
    </message>
    <message>
        <source>a JPEG XL picture</source>
        <translation>JPEG XL 图片</translation>
    </message>
    <message>
        <source>a Photoshop document</source>
        <translation>Photoshop 文档</translation>
    </message>
    <message>
        <source>a Radiance picture</source>
        <translation>Radiance 图片</translation>
    </message>
    <message>
        <source>a TIFF with numbers of an unusual kind</source>
        <translation>数值类型少见的 TIFF</translation>
    </message>
    <message>
        <source>a decoder that does not see the cut-out has nothing to relight</source>
        <translation>看不到抠图的解码器没有可以重新打光的对象</translation>
    </message>
    <message>
        <source>a few seconds</source>
        <translation>几秒</translation>
    </message>
    <message>
        <source>a lattice of {period} pixels does not divide tokens of {stride}</source>
        <translation>{period} 像素的网格不能整除 {stride} 像素的词元</translation>
    </message>
    <message>
        <source>a list</source>
        <translation>列表</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>数字</translation>
    </message>
    <message>
        <source>a number is too large, or it is nested too deeply</source>
        <translation>有数字过大，或嵌套过深</translation>
    </message>
    <message>
        <source>a reference branch has as many levels as the decoder</source>
        <translation>参考分支的层级数应与解码器相同</translation>
    </message>
    <message>
        <source>a tokenizer of {channels} channels</source>
        <translation>视觉分词器有 {channels} 个通道</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>整数</translation>
    </message>
    <message>
        <source>about {count} h left</source>
        <translation>约剩 {count} 小时</translation>
    </message>
    <message>
        <source>about {count} hours</source>
        <translation>约 {count} 小时</translation>
    </message>
    <message>
        <source>about {count} min left</source>
        <translation>约剩 {count} 分钟</translation>
    </message>
    <message>
        <source>about {count} minutes</source>
        <translation>约 {count} 分钟</translation>
    </message>
    <message>
        <source>about {count} s left</source>
        <translation>约剩 {count} 秒</translation>
    </message>
    <message>
        <source>about {count} seconds</source>
        <translation>约 {count} 秒</translation>
    </message>
    <message>
        <source>an OpenEXR picture</source>
        <translation>OpenEXR 图片</translation>
    </message>
    <message>
        <source>an object</source>
        <translation>对象</translation>
    </message>
    <message>
        <source>appear here while the picture forms</source>
        <translation>图片成形时显示在这里</translation>
    </message>
    <message>
        <source>cells of {cell} pixels do not divide tokens of {stride}</source>
        <translation>{cell} 像素的单元不能整除 {stride} 像素的词元</translation>
    </message>
    <message>
        <source>content encoder</source>
        <translation>内容编码器</translation>
    </message>
    <message>
        <source>every size of a tokenizer is at least 1</source>
        <translation>视觉分词器的各项尺寸至少为 1</translation>
    </message>
    <message>
        <source>expected {wanted} of length {bound}</source>
        <translation>应为{wanted}，长度为 {bound}</translation>
    </message>
    <message>
        <source>expected {wanted} {bound}</source>
        <translation>应为{wanted} {bound}</translation>
    </message>
    <message>
        <source>expected {wanted}, got {found}</source>
        <translation>应为{wanted}，实为{found}</translation>
    </message>
    <message>
        <source>file is missing</source>
        <translation>文件缺失</translation>
    </message>
    <message>
        <source>grounding</source>
        <translation>按名称查找</translation>
    </message>
    <message>
        <source>has unknown</source>
        <translation>有未知的</translation>
    </message>
    <message>
        <source>it</source>
        <translation>它</translation>
    </message>
    <message>
        <source>it failed</source>
        <translation>它出错了</translation>
    </message>
    <message>
        <source>it has no weights of the part “{part}”</source>
        <translation>缺少“{part}”部分的权重</translation>
    </message>
    <message>
        <source>it is no JSON</source>
        <translation>它不是 JSON</translation>
    </message>
    <message>
        <source>it is no description of a model</source>
        <translation>它不是模型的描述</translation>
    </message>
    <message>
        <source>it is not written as it must be</source>
        <translation>写法不对</translation>
    </message>
    <message>
        <source>it is too large</source>
        <translation>它太大</translation>
    </message>
    <message>
        <source>its decoder looks at the placed cut-out, which its content path does not know</source>
        <translation>它的解码器要看放置好的抠图，而它的内容通路并不提供</translation>
    </message>
    <message>
        <source>lacks</source>
        <translation>缺少</translation>
    </message>
    <message>
        <source>naming</source>
        <translation>命名</translation>
    </message>
    <message>
        <source>negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>network and tokenizer have different numbers of bits</source>
        <translation>网络与视觉分词器的位数不同</translation>
    </message>
    <message>
        <source>no prompt</source>
        <translation>无提示词</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>空值</translation>
    </message>
    <message>
        <source>now</source>
        <translation>刚刚</translation>
    </message>
    <message>
        <source>prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>segmentation</source>
        <translation>分割</translation>
    </message>
    <message>
        <source>semantic encoder</source>
        <translation>语义编码器</translation>
    </message>
    <message>
        <source>starred</source>
        <translation>已加星</translation>
    </message>
    <message>
        <source>text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>text encoder</source>
        <translation>文本编码器</translation>
    </message>
    <message>
        <source>the channels of a reference branch are multiples of 8</source>
        <translation>参考分支的通道数应为 8 的倍数</translation>
    </message>
    <message>
        <source>the connection ended early</source>
        <translation>连接提前结束</translation>
    </message>
    <message>
        <source>the connection was cut</source>
        <translation>连接中断</translation>
    </message>
    <message>
        <source>the content encoder (the folder “vae” of FLUX.1)</source>
        <translation>内容编码器（FLUX.1 的“vae”文件夹）</translation>
    </message>
    <message>
        <source>the file name {name} is not allowed</source>
        <translation>不允许使用文件名 {name}</translation>
    </message>
    <message>
        <source>the file name {name} leads out of the folder</source>
        <translation>文件名 {name} 指向文件夹之外</translation>
    </message>
    <message>
        <source>the first scale is more than one token</source>
        <translation>第一个尺度多于一个词元</translation>
    </message>
    <message>
        <source>the name is not valid</source>
        <translation>名称无效</translation>
    </message>
    <message>
        <source>the number is too large</source>
        <translation>数字太大</translation>
    </message>
    <message>
        <source>the part “{part}” has no input size</source>
        <translation>“{part}”部分没有输入尺寸</translation>
    </message>
    <message>
        <source>the proxy that {name} names cannot be reached, or it cannot reach the server</source>
        <translation>无法连接 {name} 指定的代理，或代理无法连接服务器</translation>
    </message>
    <message>
        <source>the range {name}, {low} to {high}, cannot be</source>
        <translation>范围 {name}（{low} 到 {high}）不成立</translation>
    </message>
    <message>
        <source>the scale of likeness cannot be</source>
        <translation>相似度的标尺不成立</translation>
    </message>
    <message>
        <source>the semantic encoder (a folder of dinov2-base)</source>
        <translation>语义编码器（dinov2-base 的文件夹）</translation>
    </message>
    <message>
        <source>the server answers with {status}</source>
        <translation>服务器返回 {status}</translation>
    </message>
    <message>
        <source>the server calls this file by another name now</source>
        <translation>服务器上的这个文件已经变了</translation>
    </message>
    <message>
        <source>the server cannot be reached</source>
        <translation>无法连接服务器</translation>
    </message>
    <message>
        <source>the server did not answer</source>
        <translation>服务器没有响应</translation>
    </message>
    <message>
        <source>the server does not have the rest of this file</source>
        <translation>服务器没有这个文件的其余部分</translation>
    </message>
    <message>
        <source>the server fell silent</source>
        <translation>服务器不再发送数据</translation>
    </message>
    <message>
        <source>the server has a fault of its own ({status})</source>
        <translation>服务器自身出错（{status}）</translation>
    </message>
    <message>
        <source>the server says there were too many requests</source>
        <translation>服务器表示请求过多</translation>
    </message>
    <message>
        <source>the server sends a file of {length} instead of {remote_size}</source>
        <translation>服务器发送的文件为 {length}，而不是 {remote_size}</translation>
    </message>
    <message>
        <source>the server sends another range than asked for</source>
        <translation>服务器发送的不是所请求的范围</translation>
    </message>
    <message>
        <source>the size {size} does not follow from its last grid</source>
        <translation>尺寸 {size} 与最后一个网格不符</translation>
    </message>
    <message>
        <source>the text encoder (a folder of flan-t5-xl)</source>
        <translation>文本编码器（flan-t5-xl 的文件夹）</translation>
    </message>
    <message>
        <source>the visual tokenizer ({file})</source>
        <translation>视觉分词器（{file}）</translation>
    </message>
    <message>
        <source>the weights of a visual tokenizer</source>
        <translation>视觉分词器的权重</translation>
    </message>
    <message>
        <source>the weights of an EchoGen transformer</source>
        <translation>EchoGen Transformer 的权重</translation>
    </message>
    <message>
        <source>there was not enough memory for it</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>they</source>
        <translation>它们</translation>
    </message>
    <message>
        <source>transformer</source>
        <translation>Transformer</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>真或假</translation>
    </message>
    <message>
        <source>uv, which installs the packages, is missing.</source>
        <translation>缺少用于安装软件包的 uv。</translation>
    </message>
    <message>
        <source>visual tokenizer</source>
        <translation>视觉分词器</translation>
    </message>
    <message>
        <source>width {width} does not divide into {heads} text pool heads</source>
        <translation>宽度 {width} 无法分给 {heads} 个文本汇聚头</translation>
    </message>
    <message>
        <source>width {width} is too small: its feed-forward layers would have no width at all</source>
        <translation>宽度 {width} 太小：前馈层将没有宽度</translation>
    </message>
    <message>
        <source>width {width} over {heads} heads must give a multiple of 4</source>
        <translation>宽度 {width} 分给 {heads} 个头，应得到 4 的倍数</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>you have {total} GB</source>
        <translation>您有 {total} GB</translation>
    </message>
    <message>
        <source>{0} GB are needed for the set-up, and {1} GB are free.</source>
        <translation>安装需要 {0} GB，可用空间为 {1} GB。</translation>
    </message>
    <message>
        <source>{0} and {1}</source>
        <translation>{0} 和 {1}</translation>
    </message>
    <message>
        <source>{0} arrives damaged.</source>
        <translation>下载的 {0} 已损坏。</translation>
    </message>
    <message>
        <source>{0} cannot be read: {1}.</source>
        <translation>无法读取 {0}：{1}。</translation>
    </message>
    <message>
        <source>{0} cannot be written: {1}.</source>
        <translation>无法写入 {0}：{1}。</translation>
    </message>
    <message>
        <source>{0} does not say which version is the newest.</source>
        <translation>{0} 没有说明哪个版本最新。</translation>
    </message>
    <message>
        <source>{0} is kept in {1}, which would send the whole program there and lock its files.</source>
        <translation>{0} 由 {1} 同步到云端：它会上传整个程序，并锁定其中的文件。</translation>
    </message>
    <message>
        <source>{0} is no version of EchoGen.</source>
        <translation>{0} 不是 EchoGen 的版本包。</translation>
    </message>
    <message>
        <source>{0} is not newer than the version you have.</source>
        <translation>{0} 并不比现有版本新。</translation>
    </message>
    <message>
        <source>{0} min</source>
        <translation>{0} 分钟</translation>
    </message>
    <message>
        <source>{0} more lines are skipped.</source>
        <translation>另有 {0} 行被跳过。</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} / {1}</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} 秒</translation>
    </message>
    <message>
        <source>{0} {1}</source>
        <translation>{1}{0}日</translation>
    </message>
    <message>
        <source>{0} {1} {2}</source>
        <translation>{2}年{1}{0}日</translation>
    </message>
    <message>
        <source>{0}, {1}</source>
        <translation>{0}，{1}</translation>
    </message>
    <message>
        <source>{0}, {1} %</source>
        <translation>{0}，{1} %</translation>
    </message>
    <message>
        <source>{0}: needs {1}, you have {2}, of which {3} is free.</source>
        <translation>{0}：需要 {1}，您有 {2}，其中 {3} 可用。</translation>
    </message>
    <message>
        <source>{0}: needs {1}, you have {2}.</source>
        <translation>{0}：需要 {1}，您有 {2}。</translation>
    </message>
    <message>
        <source>{0}&#xa0;min</source>
        <translation>{0}&#xa0;分钟</translation>
    </message>
    <message>
        <source>{0}&#xa0;s</source>
        <translation>{0}&#xa0;秒</translation>
    </message>
    <message>
        <source>{base_url} answered {repository} with {status}.</source>
        <translation>{base_url} 对 {repository} 的应答为 {status}。</translation>
    </message>
    <message>
        <source>{base_url} does not say which version of {repository} it has.</source>
        <translation>{base_url} 没有说明它有 {repository} 的哪个版本。</translation>
    </message>
    <message>
        <source>{base_url} is no safe address.</source>
        <translation>{base_url} 不是安全的地址。</translation>
    </message>
    <message>
        <source>{blocks} blocks do not divide into {chunks} chunks</source>
        <translation>{blocks} 个块无法分成 {chunks} 组</translation>
    </message>
    <message>
        <source>{called} cannot be read: {reason}.</source>
        <translation>无法读取 {called}：{reason}。</translation>
    </message>
    <message>
        <source>{called} does not fit into memory.</source>
        <translation>{called} 超出内存。</translation>
    </message>
    <message>
        <source>{called} has far more pixels</source>
        <translation>{called} 的像素太多</translation>
    </message>
    <message>
        <source>{called} has {count:.0f} megapixels</source>
        <translation>{called} 有 {count:.0f} 百万像素</translation>
    </message>
    <message>
        <source>{called} has {count:.1f} GB; {most} GB is the limit.</source>
        <translation>{called} 有 {count:.1f} GB；上限是 {most} GB。</translation>
    </message>
    <message>
        <source>{called} holds no image.</source>
        <translation>{called} 中没有图像。</translation>
    </message>
    <message>
        <source>{called} is a HEIC photo that is damaged or incomplete.</source>
        <translation>{called} 是已损坏或不完整的 HEIC 照片。</translation>
    </message>
    <message>
        <source>{called} is a HEIC photo, and pillow-heif, which reads them, is not installed.</source>
        <translation>{called} 是 HEIC 照片，而读取它所需的 pillow-heif 未安装。</translation>
    </message>
    <message>
        <source>{called} is a PDF document.</source>
        <translation>{called} 是 PDF 文档。</translation>
    </message>
    <message>
        <source>{called} is a RAW photo, and rawpy, which develops them, is not installed.</source>
        <translation>{called} 是 RAW 照片，而冲洗它所需的 rawpy 未安装。</translation>
    </message>
    <message>
        <source>{called} is a drawing or a document, not a photo.</source>
        <translation>{called} 是图形或文档，不是照片。</translation>
    </message>
    <message>
        <source>{called} is damaged or incomplete.</source>
        <translation>{called} 已损坏或不完整。</translation>
    </message>
    <message>
        <source>{called} is empty: it has zero bytes.</source>
        <translation>{called} 是空的：零字节。</translation>
    </message>
    <message>
        <source>{called} is {known}, which cannot be read here.</source>
        <translation>{called} 是{known}，此处无法读取。</translation>
    </message>
    <message>
        <source>{count} more could not be opened.</source>
        <translation>还有 {count} 个无法打开。</translation>
    </message>
    <message>
        <source>{count} photos cannot be opened</source>
        <translation>{count} 张照片无法打开</translation>
    </message>
    <message>
        <source>{count} scales cannot be kept: the picture has {scales}.</source>
        <translation>无法保留 {count} 个尺度：该图片有 {scales} 个。</translation>
    </message>
    <message>
        <source>{count} waiting pictures cannot be read.</source>
        <translation>有 {count} 张等待的图片无法读取。</translation>
    </message>
    <message>
        <source>{device} stopped answering.</source>
        <translation>{device} 停止响应。</translation>
    </message>
    <message>
        <source>{fact} The photo was read without it.</source>
        <translation>{fact}读取照片时没有使用它。</translation>
    </message>
    <message>
        <source>{file} cannot be packed.</source>
        <translation>无法打包 {file}。</translation>
    </message>
    <message>
        <source>{file} carries no settings any more.</source>
        <translation>{file} 已不带有设置。</translation>
    </message>
    <message>
        <source>{file} does not hold {transformer}.</source>
        <translation>{file} 中没有{transformer}。</translation>
    </message>
    <message>
        <source>{file} does not hold {words}: it holds {loaded}.</source>
        <translation>{file} 中没有{words}：其中有{loaded}。</translation>
    </message>
    <message>
        <source>{file} has the weight “{published}” twice.</source>
        <translation>{file} 中有两个权重“{published}”。</translation>
    </message>
    <message>
        <source>{file} lacks {count} weights of an EchoGen transformer, the first “{first}”.</source>
        <translation>{file} 缺少 EchoGen Transformer 的 {count} 个权重，第一个是“{first}”。</translation>
    </message>
    <message>
        <source>{file} lacks {count} weights of the visual tokenizer, the first “{first}”.</source>
        <translation>{file} 缺少视觉分词器的 {count} 个权重，第一个是“{first}”。</translation>
    </message>
    <message>
        <source>{file} of {repository} is another file than the one this program knows.</source>
        <translation>{repository} 的 {file} 与本程序已知的文件不同。</translation>
    </message>
    <message>
        <source>{folder} cannot be written: {reason}.</source>
        <translation>无法写入 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>{folder} holds something else than a model.</source>
        <translation>{folder} 中的内容不是模型。</translation>
    </message>
    <message>
        <source>{folder} is no folder.</source>
        <translation>{folder} 不是文件夹。</translation>
    </message>
    <message>
        <source>{get_again} If you made it yourself, look at the sizes in {manifest}.</source>
        <translation>{get_again}如果是您自己制作的，请检查 {manifest} 中的尺寸。</translation>
    </message>
    <message>
        <source>{groups} groups do not divide the channels {channels}</source>
        <translation>{groups} 组无法整除通道数 {channels}</translation>
    </message>
    <message>
        <source>{job} arrived twice with other content than its publisher describes; it was thrown away.</source>
        <translation>{job} 两次下载的内容都与发布者的描述不符；已丢弃。</translation>
    </message>
    <message>
        <source>{job} is no longer where it was.</source>
        <translation>{job} 已不在原处。</translation>
    </message>
    <message>
        <source>{job}: {reason}. {safe}</source>
        <translation>{job}：{reason}。{safe}</translation>
    </message>
    <message>
        <source>{manifest} cannot take up a photo: its visual tokenizer has no encoder.</source>
        <translation>{manifest} 无法使用照片：它的视觉分词器没有编码器。</translation>
    </message>
    <message>
        <source>{manifest} chooses itself where the subject stands.</source>
        <translation>{manifest} 会自行决定主体的位置。</translation>
    </message>
    <message>
        <source>{manifest} does not draw {request}.</source>
        <translation>{manifest} 不能绘制 {request}。</translation>
    </message>
    <message>
        <source>{manifest} needs at least {needed} of memory, and {device} has {total}.</source>
        <translation>{manifest} 至少需要 {needed} 内存，而 {device} 有 {total}。</translation>
    </message>
    <message>
        <source>{model} cannot be downloaded.</source>
        <translation>{model} 无法下载。</translation>
    </message>
    <message>
        <source>{names} and {last} work.</source>
        <translation>可用格式：{names} 和 {last}。</translation>
    </message>
    <message>
        <source>{names} could not be moved to the trash.</source>
        <translation>无法将 {names} 移到回收站。</translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation>无法打开 {name}：{reason}。</translation>
    </message>
    <message>
        <source>{name} cannot be read: {reason}.</source>
        <translation>无法读取 {name}：{reason}。</translation>
    </message>
    <message>
        <source>{name} carries no settings.</source>
        <translation>{name} 不带有设置。</translation>
    </message>
    <message>
        <source>{name} does not hold {tokenizer}.</source>
        <translation>{name} 中没有{tokenizer}。</translation>
    </message>
    <message>
        <source>{name} has {count} characters; {most} are the limit.</source>
        <translation>{name}有 {count} 个字符；上限是 {most} 个。</translation>
    </message>
    <message>
        <source>{name} holds characters that are no text.</source>
        <translation>{name}含有不是文字的字符。</translation>
    </message>
    <message>
        <source>{name} is a folder.</source>
        <translation>{name} 是文件夹。</translation>
    </message>
    <message>
        <source>{name} is no PNG.</source>
        <translation>{name} 不是 PNG。</translation>
    </message>
    <message>
        <source>{name} is no ordinary file.</source>
        <translation>{name} 不是普通文件。</translation>
    </message>
    <message>
        <source>{name} is not there.</source>
        <translation>{name} 不存在。</translation>
    </message>
    <message>
        <source>{name} may not be read.</source>
        <translation>没有读取 {name} 的权限。</translation>
    </message>
    <message>
        <source>{name} must be a number from {low:g} to {high:g}.</source>
        <translation>{name}必须是 {low:g} 到 {high:g} 的数。</translation>
    </message>
    <message>
        <source>{name} must be text.</source>
        <translation>{name}必须是文本。</translation>
    </message>
    <message>
        <source>{name} of {repository} does not read like {licence}, which was shown to you.</source>
        <translation>{repository} 的 {name} 与向您显示的 {licence} 不一致。</translation>
    </message>
    <message>
        <source>{name} on the server is no safetensors file, or a damaged one.</source>
        <translation>服务器上的 {name} 不是 safetensors 文件，或已损坏。</translation>
    </message>
    <message>
        <source>{needed} more is needed besides {others} for what is being fetched already, and {free} is free in {folder}.</source>
        <translation>除正在下载的内容所需的 {others} 外，还需要 {needed}，而 {folder} 中有 {free} 可用。</translation>
    </message>
    <message>
        <source>{needed} more is needed, {free} is free in {folder}.</source>
        <translation>还需要 {needed}，而 {folder} 中有 {free} 可用。</translation>
    </message>
    <message>
        <source>{needed} more were to be written.</source>
        <translation>还有 {needed} 要写入。</translation>
    </message>
    <message>
        <source>{now} of {total} is safe.</source>
        <translation>{total} 中的 {now} 已安全保存。</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one}或{other}</translation>
    </message>
    <message>
        <source>{part} is given only to accounts that asked for access.</source>
        <translation>{part} 仅提供给已申请访问权限的账户。</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}.</source>
        <translation>无法读取 {path}：{reason}。</translation>
    </message>
    <message>
        <source>{path} cannot be saved to {folder}: {reason}.</source>
        <translation>无法将 {path} 保存到 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>无法写入 {path}：{reason}。</translation>
    </message>
    <message>
        <source>{path} does not hold {wanted}.</source>
        <translation>{path} 中没有{wanted}。</translation>
    </message>
    <message>
        <source>{path} holds program code{what} besides weights. It was refused, and nothing in it was run.</source>
        <translation>{path} 除权重外还含有程序代码{what}。已拒绝，其中的任何内容都未运行。</translation>
    </message>
    <message>
        <source>{path} is a folder.</source>
        <translation>{path} 是文件夹。</translation>
    </message>
    <message>
        <source>{path} is damaged, or no file of weights.</source>
        <translation>{path} 已损坏，或不是权重文件。</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} 已损坏。</translation>
    </message>
    <message>
        <source>{path} is damaged: it is no sound safetensors file.</source>
        <translation>{path} 已损坏：不是完好的 safetensors 文件。</translation>
    </message>
    <message>
        <source>{path} is no list of requests.</source>
        <translation>{path} 不是请求列表。</translation>
    </message>
    <message>
        <source>{photo} is skipped: {error}</source>
        <translation>已跳过 {photo}：{error}</translation>
    </message>
    <message>
        <source>{place} is missing</source>
        <translation>缺少 {place}</translation>
    </message>
    <message>
        <source>{place} is not known</source>
        <translation>不认识 {place}</translation>
    </message>
    <message>
        <source>{place} is not written as it must be</source>
        <translation>{place} 的写法不对</translation>
    </message>
    <message>
        <source>{place} is too large</source>
        <translation>{place} 太大</translation>
    </message>
    <message>
        <source>{place}: {reason}</source>
        <translation>{place}：{reason}</translation>
    </message>
    <message>
        <source>{plan}: needs {needed}, {have}, of which {free} is free.</source>
        <translation>{plan}：需要 {needed}，{have}，其中 {free} 可用。</translation>
    </message>
    <message>
        <source>{plan}: needs {needed}, {have}.</source>
        <translation>{plan}：需要 {needed}，{have}。</translation>
    </message>
    <message>
        <source>{repository} has a file with a name that is not allowed.</source>
        <translation>{repository} 中有文件的名称不被允许。</translation>
    </message>
    <message>
        <source>{repository} has no file “{first}”.</source>
        <translation>{repository} 没有文件“{first}”。</translation>
    </message>
    <message>
        <source>{repository} now says its licence is “{licence}”, and {licence_licence} was shown to you.</source>
        <translation>{repository} 现在的许可证是“{licence}”，而向您显示的是 {licence_licence}。</translation>
    </message>
    <message>
        <source>{row} and {item}</source>
        <translation>{row}和{item}</translation>
    </message>
    <message>
        <source>{row}, {item}</source>
        <translation>{row}、{item}</translation>
    </message>
    <message>
        <source>{safe} is safe.</source>
        <translation>{safe} 已安全保存。</translation>
    </message>
    <message>
        <source>{scales} scales, but the network knows {known}</source>
        <translation>有 {scales} 个尺度，但网络只认识 {known} 个</translation>
    </message>
    <message>
        <source>{source} cannot be read: {reason}.</source>
        <translation>无法读取 {source}：{reason}。</translation>
    </message>
    <message>
        <source>{source} was written by another version of this program.</source>
        <translation>{source} 是由此程序的另一个版本写入的。</translation>
    </message>
    <message>
        <source>{state} came with the program.</source>
        <translation>{state} 随程序提供。</translation>
    </message>
    <message>
        <source>{target} cannot be written to {parent}: {reason}.</source>
        <translation>无法将 {target} 写入 {parent}：{reason}。</translation>
    </message>
    <message>
        <source>{target} in {parent} is no file.</source>
        <translation>{parent} 中的 {target} 不是文件。</translation>
    </message>
    <message>
        <source>{target} is read for this, and would be written over.</source>
        <translation>{target} 是这里要读取的文件，会被覆盖。</translation>
    </message>
    <message>
        <source>{target} needs {needed}, and the disk of {parent} is full.</source>
        <translation>{target} 需要 {needed}，而 {parent} 的磁盘已满。</translation>
    </message>
    <message>
        <source>{target} would be written twice.</source>
        <translation>{target} 会被写入两次。</translation>
    </message>
    <message>
        <source>{title} in “{folder}” cannot be opened.</source>
        <translation>无法打开“{folder}”中的 {title}。</translation>
    </message>
    <message>
        <source>{title} in “{folder}” enlarges {found} times, not {factor} times.</source>
        <translation>“{folder}”中的 {title} 放大 {found} 倍，而不是 {factor} 倍。</translation>
    </message>
    <message>
        <source>{title} is not in “{folder}”: there is no config.json.</source>
        <translation>“{folder}”中没有 {title}：缺少 config.json。</translation>
    </message>
    <message>
        <source>{total} is to be copied, {free} is free in {parent}.</source>
        <translation>要复制 {total}，而 {parent} 中有 {free} 可用。</translation>
    </message>
    <message>
        <source>{transformer} is there, but {missing} {are} not.</source>
        <translation>有 {transformer}，但没有{missing}。</translation>
    </message>
    <message>
        <source>{value} is none of the values that are known</source>
        <translation>{value} 不是已知的值</translation>
    </message>
    <message>
        <source>{what}: {reason}. Nothing was lost.</source>
        <translation>{what}：{reason}。没有丢失任何内容。</translation>
    </message>
    <message>
        <source>{what}; {most} are the limit.</source>
        <translation>{what}；上限是 {most}。</translation>
    </message>
    <message>
        <source>{where} cannot be used: {fact}</source>
        <translation>{where}无法使用：{fact}</translation>
    </message>
    <message>
        <source>{where} has a “{{” inside of another one.</source>
        <translation>{where}的“{{”嵌套在另一个之内。</translation>
    </message>
    <message>
        <source>{where} has a “{{” without its “}}”.</source>
        <translation>{where}的“{{”缺少对应的“}}”。</translation>
    </message>
    <message>
        <source>{where} has a “}}” without its “{{”.</source>
        <translation>{where}的“}}”缺少对应的“{{”。</translation>
    </message>
    <message>
        <source>{where} has no words.</source>
        <translation>{where}没有词语。</translation>
    </message>
    <message>
        <source>{where} has nothing between “{{” and “}}”.</source>
        <translation>{where}的“{{”与“}}”之间为空。</translation>
    </message>
    <message>
        <source>{where} lacks {count} weights of the {part_word}, the first “{first}”.</source>
        <translation>{where} 缺少{part_word}的 {count} 个权重，第一个是“{first}”。</translation>
    </message>
    <message>
        <source>{where} speaks of {{subject}}, and the subject has no name.</source>
        <translation>{where}使用了 {{subject}}，但主体没有名称。</translation>
    </message>
    <message>
        <source>{wrong} in {source} is damaged.</source>
        <translation>{source} 中的 {wrong} 已损坏。</translation>
    </message>
    <message>
        <source>“{choice}” is no choice for {model}.</source>
        <translation>“{choice}”不是 {model} 的选项。</translation>
    </message>
    <message>
        <source>“{folder}” lacks {count} weights, for example “{first}”.</source>
        <translation>“{folder}”缺少 {count} 个权重，例如“{first}”。</translation>
    </message>
    <message>
        <source>“{framing}” is no framing.</source>
        <translation>“{framing}”不是取景方式。</translation>
    </message>
    <message>
        <source>“{name}” is not among its files</source>
        <translation>“{name}”不在它的文件之中</translation>
    </message>
    <message>
        <source>“{path}” is no kind of picture that can be written.</source>
        <translation>“{path}”不是可以写入的图片格式。</translation>
    </message>
    <message>
        <source>“{text}” is no address to download from.</source>
        <translation>“{text}”不是可用的下载地址。</translation>
    </message>
    <message>
        <source>“{text}” is no placement.</source>
        <translation>“{text}”不是有效的位置。</translation>
    </message>
    <message>
        <source>“{wanted}” is no device.</source>
        <translation>“{wanted}”不是设备。</translation>
    </message>
    <message>
        <source>“{wanted}” is no memory plan.</source>
        <translation>“{wanted}”不是内存方案。</translation>
    </message>
</context>
<context>
    <name>AboutDialog</name>
    <message>
        <source>About EchoGen</source>
        <translation>关于 EchoGen</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>复制诊断信息</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>许可证</translation>
    </message>
    <message>
        <source>Licences</source>
        <translation>许可证</translation>
    </message>
    <message>
        <source>One photo of your subject, one sentence, and it appears in that scene. Photos and pictures stay on this computer.</source>
        <translation>一张照片，一句话，您的主体就出现在那个场景里。照片和图片都留在这台电脑上。</translation>
    </message>
    <message>
        <source>Open the log folder</source>
        <translation>打开日志文件夹</translation>
    </message>
    <message>
        <source>This file is missing: {0}</source>
        <translation>缺少此文件：{0}</translation>
    </message>
</context>
<context>
    <name>ActionBar</name>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Cut out of the picture</source>
        <translation>从图片中抠图</translation>
    </message>
    <message>
        <source>Drag from here into another program, or press Copy</source>
        <translation>从这里拖到其他程序，或按“复制”</translation>
    </message>
    <message>
        <source>Drag out</source>
        <translation>拖出</translation>
    </message>
    <message>
        <source>Drag the picture into another program</source>
        <translation>把图片拖到其他程序</translation>
    </message>
    <message>
        <source>Draw this picture to its end</source>
        <translation>把这张图片画完</translation>
    </message>
    <message>
        <source>Finish it</source>
        <translation>继续画完</translation>
    </message>
    <message>
        <source>How alike the subject is to your cut-out, in the eyes of the model</source>
        <translation>在模型看来，主体与您的抠图有多像</translation>
    </message>
    <message>
        <source>More ways to save</source>
        <translation>更多保存方式</translation>
    </message>
    <message>
        <source>More ways to save: larger, without metadata</source>
        <translation>更多保存方式：放大、不含元数据</translation>
    </message>
    <message>
        <source>Move the handle between the scales first</source>
        <translation>先移动尺度之间的滑柄</translation>
    </message>
    <message>
        <source>Only finished pictures are kept in the history</source>
        <translation>历史记录只保留画完的图片</translation>
    </message>
    <message>
        <source>Place</source>
        <translation>摆放</translation>
    </message>
    <message>
        <source>Redraw a region</source>
        <translation>重画一个区域</translation>
    </message>
    <message>
        <source>Redraw from here</source>
        <translation>从这里重画</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>另存为…</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>加星</translation>
    </message>
    <message>
        <source>Starred</source>
        <translation>已加星</translation>
    </message>
    <message>
        <source>The picture is not saved yet</source>
        <translation>图片尚未保存</translation>
    </message>
    <message>
        <source>There is no cut-out to compare with</source>
        <translation>没有可对比的抠图</translation>
    </message>
    <message>
        <source>Vary</source>
        <translation>变化</translation>
    </message>
    <message>
        <source>{0}&#xa0;% alike</source>
        <translation>相似度 {0}&#xa0;%</translation>
    </message>
</context>
<context>
    <name>Agreement</name>
    <message>
        <source>Name it</source>
        <translation>命名</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Say what it is: “{0}” is written then.</source>
        <translation>请说明这是什么，然后会写入“{0}”。</translation>
    </message>
    <message>
        <source>The prompt speaks of “{0}”, the photo is “{1}”.</source>
        <translation>提示词说的是“{0}”，照片是“{1}”。</translation>
    </message>
    <message>
        <source>The prompt speaks of “{0}”; this photo has no name yet.</source>
        <translation>提示词说的是“{0}”；这张照片还没有名称。</translation>
    </message>
</context>
<context>
    <name>CanvasPanel</name>
    <message>
        <source>The picture is done</source>
        <translation>图片已完成</translation>
    </message>
    <message>
        <source>{0} percent drawn</source>
        <translation>已绘制百分之 {0}</translation>
    </message>
</context>
<context>
    <name>Controller</name>
    <message>
        <source>Done in {0}</source>
        <translation>用时 {0} 完成</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Stopped: {0}</source>
        <translation>已停止：{0}</translation>
    </message>
    <message>
        <source>The most alike: {0}&#xa0;%</source>
        <translation>最像的：{0}&#xa0;%</translation>
    </message>
    <message>
        <source>The photo is not at hand: only the part that was drawn is shown</source>
        <translation>找不到那张照片：只显示画出的部分</translation>
    </message>
    <message>
        <source>{0} given up early</source>
        <translation>{0} 张提前放弃</translation>
    </message>
    <message>
        <source>{0} waiting</source>
        <translation>{0} 张等待中</translation>
    </message>
</context>
<context>
    <name>CountField</name>
    <message>
        <source>Another number of pictures</source>
        <translation>其他张数</translation>
    </message>
    <message>
        <source>Number of pictures</source>
        <translation>图片张数</translation>
    </message>
    <message>
        <source>Type 1 to {0} for any number</source>
        <translation>键入 1 到 {0} 选择张数</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} 张图片</translation>
    </message>
</context>
<context>
    <name>CutOutCard</name>
    <message>
        <source>Edit cut-out</source>
        <translation>编辑抠图</translation>
    </message>
    <message>
        <source>The photo is being opened</source>
        <translation>照片正在打开</translation>
    </message>
    <message>
        <source>The photo is not there any more</source>
        <translation>照片已不存在</translation>
    </message>
    <message>
        <source>What the model sees</source>
        <translation>模型所见</translation>
    </message>
    <message>
        <source>from a picture</source>
        <translation>来自图片</translation>
    </message>
</context>
<context>
    <name>Cutting</name>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Save the cut-out on transparency</source>
        <translation>将抠图保存为透明图片</translation>
    </message>
    <message>
        <source>What you marked last time is here again</source>
        <translation>上次标记的内容已恢复</translation>
    </message>
    <message>
        <source>{0}, cut out</source>
        <translation>{0} 抠图</translation>
    </message>
</context>
<context>
    <name>CuttingEditor</name>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Click what belongs, or paint it. Everything else becomes transparent.</source>
        <translation>点击或涂抹要保留的部分，其余都会变成透明。</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Cut out of the picture</source>
        <translation>从图片中抠图</translation>
    </message>
    <message>
        <source>Save as PNG…</source>
        <translation>保存为 PNG…</translation>
    </message>
    <message>
        <source>Save on transparency</source>
        <translation>保存为透明图片</translation>
    </message>
    <message>
        <source>The cut-out on transparency</source>
        <translation>透明背景上的抠图</translation>
    </message>
</context>
<context>
    <name>DialSlider</name>
    <message>
        <source>Double-click to reset</source>
        <translation>双击重置</translation>
    </message>
    <message>
        <source>varies</source>
        <translation>逐尺度变化</translation>
    </message>
</context>
<context>
    <name>Dialog</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Dialogs</name>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>EchoGen {0} is there.</source>
        <translation>EchoGen {0} 已发布。</translation>
    </message>
    <message>
        <source>{0} is not downloaded: {1}</source>
        <translation>{0} 未下载完成：{1}</translation>
    </message>
</context>
<context>
    <name>Downloads</name>
    <message>
        <source>{0} is ready</source>
        <translation>{0} 已就绪</translation>
    </message>
</context>
<context>
    <name>DraftLine</name>
    <message>
        <source>Forget these changes</source>
        <translation>不再保留这些更改</translation>
    </message>
    <message>
        <source>Go on editing</source>
        <translation>继续编辑</translation>
    </message>
    <message>
        <source>You were still editing this cut-out. Your changes are kept.</source>
        <translation>上次您还在编辑这个抠图。您的更改已保留。</translation>
    </message>
</context>
<context>
    <name>Drawing</name>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Starts as soon as the subject is there</source>
        <translation>主体就绪后立即开始</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Taken out of the queue</source>
        <translation>已移出队列</translation>
    </message>
    <message>
        <source>{0} taken out of the queue</source>
        <translation>已将 {0} 张移出队列</translation>
    </message>
</context>
<context>
    <name>Editing</name>
    <message>
        <source>The changes to the cut-out are discarded</source>
        <translation>已放弃对抠图的更改</translation>
    </message>
    <message>
        <source>The unfinished changes are forgotten</source>
        <translation>未完成的更改已不再保留</translation>
    </message>
</context>
<context>
    <name>EditorFrame</name>
    <message>
        <source>Redone: {0}</source>
        <translation>已重做：{0}</translation>
    </message>
    <message>
        <source>Undone: {0}</source>
        <translation>已撤销：{0}</translation>
    </message>
</context>
<context>
    <name>ErrorBanner</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
</context>
<context>
    <name>ErrorSteps</name>
    <message>
        <source>Choose another folder…</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>选择其他模型…</translation>
    </message>
    <message>
        <source>Choose another photo…</source>
        <translation>选择另一张照片…</translation>
    </message>
    <message>
        <source>Draw a box</source>
        <translation>画一个框</translation>
    </message>
    <message>
        <source>Start it again</source>
        <translation>重新启动</translation>
    </message>
    <message>
        <source>Use low-memory plan</source>
        <translation>使用低内存方案</translation>
    </message>
</context>
<context>
    <name>ExampleGallery</name>
    <message>
        <source>Example: {0}</source>
        <translation>示例：{0}</translation>
    </message>
</context>
<context>
    <name>FileOpener</name>
    <message>
        <source>{0} It is opened as a photo.</source>
        <translation>{0} 已将其作为照片打开。</translation>
    </message>
</context>
<context>
    <name>FinishedPictures</name>
    <message>
        <source>1 picture was found again</source>
        <translation>重新找到 1 张图片</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Everything that made this picture is back</source>
        <translation>生成这张图片的一切都已恢复</translation>
    </message>
    <message>
        <source>Its prompt is in use</source>
        <translation>已使用它的提示词</translation>
    </message>
    <message>
        <source>Its seed is in use</source>
        <translation>已使用它的种子</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>已移到回收站</translation>
    </message>
    <message>
        <source>Prompt copied</source>
        <translation>提示词已复制</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>另存为</translation>
    </message>
    <message>
        <source>Save to a folder</source>
        <translation>保存到文件夹</translation>
    </message>
    <message>
        <source>Save without metadata</source>
        <translation>不带元数据保存</translation>
    </message>
    <message>
        <source>Saved to {0}. Only a PNG carries what made it.</source>
        <translation>已保存到 {0}。只有 PNG 会保留生成信息。</translation>
    </message>
    <message>
        <source>The canvas stays with the picture that is drawn</source>
        <translation>画布停留在正在绘制的图片上</translation>
    </message>
    <message>
        <source>The picture is not finished yet</source>
        <translation>图片尚未完成</translation>
    </message>
    <message>
        <source>The stopped picture is put away</source>
        <translation>已收起停止的图片</translation>
    </message>
    <message>
        <source>{0} pictures moved to the trash</source>
        <translation>已将 {0} 张图片移到回收站</translation>
    </message>
    <message>
        <source>{0} pictures were found again</source>
        <translation>重新找到 {0} 张图片</translation>
    </message>
</context>
<context>
    <name>FoundLine</name>
    <message>
        <source>Corrected</source>
        <translation>已修正</translation>
    </message>
    <message>
        <source>Found, {0}&#xa0;%</source>
        <translation>已找到，{0}&#xa0;%</translation>
    </message>
    <message>
        <source>Not sure. Draw a box around it.</source>
        <translation>不确定。请在它周围画一个框。</translation>
    </message>
</context>
<context>
    <name>FoundNote</name>
    <message>
        <source>Better cut-outs ({0})…</source>
        <translation>更好的抠图（{0}）…</translation>
    </message>
    <message>
        <source>Better cut-outs…</source>
        <translation>更好的抠图…</translation>
    </message>
    <message>
        <source>Or is it one of these?</source>
        <translation>还是下面的某一个？</translation>
    </message>
</context>
<context>
    <name>FullScreen</name>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Moved to the trash. {0} brings it back.</source>
        <translation>已移到回收站。按 {0} 可恢复。</translation>
    </message>
    <message>
        <source>This is the newest</source>
        <translation>这是最新的一张</translation>
    </message>
    <message>
        <source>This is the oldest</source>
        <translation>这是最旧的一张</translation>
    </message>
</context>
<context>
    <name>FurtherPhotos</name>
    <message>
        <source>Add another photo of this</source>
        <translation>再添加一张它的照片</translation>
    </message>
    <message>
        <source>Photo taken out</source>
        <translation>已取出照片</translation>
    </message>
</context>
<context>
    <name>GalleryModel</name>
    <message>
        <source>{0} × {1}, seed {2}</source>
        <translation>{0} × {1}，种子 {2}</translation>
    </message>
</context>
<context>
    <name>GalleryPanel</name>
    <message>
        <source>1 chosen</source>
        <translation>已选 1 张</translation>
    </message>
    <message>
        <source>1 picture</source>
        <translation>1 张图片</translation>
    </message>
    <message>
        <source>All models</source>
        <translation>所有模型</translation>
    </message>
    <message>
        <source>All subjects</source>
        <translation>所有主体</translation>
    </message>
    <message>
        <source>Any day</source>
        <translation>任意日期</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Back to the canvas</source>
        <translation>返回画布</translation>
    </message>
    <message>
        <source>Choose all</source>
        <translation>全选</translation>
    </message>
    <message>
        <source>Choose none</source>
        <translation>取消选择</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>清除搜索</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>日期</translation>
    </message>
    <message>
        <source>Every picture you make is kept here and in your Pictures folder.</source>
        <translation>您生成的每张图片都保存在这里和“图片”文件夹中。</translation>
    </message>
    <message>
        <source>Gallery</source>
        <translation>图库</translation>
    </message>
    <message>
        <source>Large</source>
        <translation>大</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>No picture is like that. Esc shows all.</source>
        <translation>没有这样的图片。按 Esc 显示全部。</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>排序</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Search prompts</source>
        <translation>搜索提示词</translation>
    </message>
    <message>
        <source>Search the history</source>
        <translation>搜索历史记录</translation>
    </message>
    <message>
        <source>Small</source>
        <translation>小</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>加星</translation>
    </message>
    <message>
        <source>Starred only</source>
        <translation>仅显示加星</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>no name</source>
        <translation>无名称</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>{0} chosen</source>
        <translation>已选 {0} 张</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} 张图片</translation>
    </message>
</context>
<context>
    <name>HelpDialog</name>
    <message>
        <source>Keys and help</source>
        <translation>快捷键与帮助</translation>
    </message>
    <message>
        <source>No key does that.</source>
        <translation>没有这样的快捷键。</translation>
    </message>
    <message>
        <source>Search the keys</source>
        <translation>搜索快捷键</translation>
    </message>
</context>
<context>
    <name>HintBar</name>
    <message>
        <source>Click a thing to mark it. Shift-click takes away.</source>
        <translation>点击一个物体即可标记。按住 Shift 点击可去除。</translation>
    </message>
    <message>
        <source>Click what belongs. Shift-click what does not. Drag a box.</source>
        <translation>点选属于主体的部分。按住 Shift 点选不属于的部分。拖动画框。</translation>
    </message>
    <message>
        <source>Ctrl+wheel</source>
        <translation>Ctrl+滚轮</translation>
    </message>
    <message>
        <source>Drag a box around the subject.</source>
        <translation>在主体周围拖出一个框。</translation>
    </message>
    <message>
        <source>Drag a box: all of it is marked.</source>
        <translation>拖出一个框：框内全部标记。</translation>
    </message>
    <message>
        <source>Drag the subject to its place, or paint where it goes.</source>
        <translation>把主体拖到合适的位置，或涂抹出它的位置。</translation>
    </message>
    <message>
        <source>Drag the subject, a corner or its handle.</source>
        <translation>拖动主体、边角或旋转手柄。</translation>
    </message>
    <message>
        <source>Drag to move the photo.</source>
        <translation>拖动以移动照片。</translation>
    </message>
    <message>
        <source>Drag to move the picture.</source>
        <translation>拖动以移动图片。</translation>
    </message>
    <message>
        <source>Draw around the region.</source>
        <translation>沿区域边缘圈画。</translation>
    </message>
    <message>
        <source>Draw around what belongs.</source>
        <translation>圈出属于主体的部分。</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>Paint to add</source>
        <translation>涂抹以添加</translation>
    </message>
    <message>
        <source>Paint to take away</source>
        <translation>涂抹以去除</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>begin to take away</source>
        <translation>开始减去</translation>
    </message>
    <message>
        <source>begin, end</source>
        <translation>开始、结束</translation>
    </message>
    <message>
        <source>belongs</source>
        <translation>属于主体</translation>
    </message>
    <message>
        <source>does not</source>
        <translation>不属于</translation>
    </message>
    <message>
        <source>drag to move</source>
        <translation>拖动移动</translation>
    </message>
    <message>
        <source>hold to add</source>
        <translation>按住添加</translation>
    </message>
    <message>
        <source>hold to erase</source>
        <translation>按住擦除</translation>
    </message>
    <message>
        <source>hold to take away</source>
        <translation>按住去除</translation>
    </message>
    <message>
        <source>mirror</source>
        <translation>镜像</translation>
    </message>
    <message>
        <source>move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>put away</source>
        <translation>收起</translation>
    </message>
    <message>
        <source>set down, lift</source>
        <translation>落笔、抬笔</translation>
    </message>
    <message>
        <source>size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>start again</source>
        <translation>重新开始</translation>
    </message>
    <message>
        <source>swap</source>
        <translation>互换</translation>
    </message>
    <message>
        <source>turn</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>zoom</source>
        <translation>缩放</translation>
    </message>
</context>
<context>
    <name>HistoryModel</name>
    <message>
        <source>Being drawn</source>
        <translation>正在绘制</translation>
    </message>
    <message>
        <source>Drawing, {0}</source>
        <translation>正在绘制，{0}</translation>
    </message>
    <message>
        <source>Likeness {0}&#xa0;%</source>
        <translation>相似度 {0}&#xa0;%</translation>
    </message>
    <message>
        <source>The file is not where it was: {0}</source>
        <translation>文件已不在原处：{0}</translation>
    </message>
    <message>
        <source>{0} scales kept from an earlier picture</source>
        <translation>保留了较早图片的 {0} 个尺度</translation>
    </message>
    <message>
        <source>{0} × {1}, seed {2}</source>
        <translation>{0} × {1}，种子 {2}</translation>
    </message>
</context>
<context>
    <name>HistoryPanel</name>
    <message>
        <source>Every picture you make is kept here and in your Pictures folder.</source>
        <translation>您生成的每张图片都保存在这里和“图片”文件夹中。</translation>
    </message>
    <message>
        <source>Gallery of all pictures</source>
        <translation>所有图片的图库</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>Leave the search (Esc)</source>
        <translation>退出搜索（Esc）</translation>
    </message>
    <message>
        <source>Nothing found for “{0}”.</source>
        <translation>没有找到“{0}”。</translation>
    </message>
    <message>
        <source>Open the pictures folder</source>
        <translation>打开图片文件夹</translation>
    </message>
    <message>
        <source>Press {0} on a picture to star it.</source>
        <translation>在图片上按 {0} 加星。</translation>
    </message>
    <message>
        <source>Search prompts</source>
        <translation>搜索提示词</translation>
    </message>
    <message>
        <source>Search the history</source>
        <translation>搜索历史记录</translation>
    </message>
    <message>
        <source>Starred only</source>
        <translation>仅显示加星</translation>
    </message>
</context>
<context>
    <name>IdeaTile</name>
    <message>
        <source>Finish this idea ({0})</source>
        <translation>完成这个构思（{0}）</translation>
    </message>
    <message>
        <source>Idea {0}, {1}</source>
        <translation>构思 {0}，{1}</translation>
    </message>
    <message>
        <source>drawing</source>
        <translation>正在绘制</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
</context>
<context>
    <name>IdeasView</name>
    <message>
        <source>Close without choosing</source>
        <translation>关闭，不选择</translation>
    </message>
    <message>
        <source>Four ideas</source>
        <translation>四个构思</translation>
    </message>
    <message>
        <source>Light and composition come first. Choose one as soon as you like it.</source>
        <translation>先出现光线和构图。喜欢哪个，随时可选。</translation>
    </message>
    <message>
        <source>Pick one to finish it.</source>
        <translation>选一张来完成它。</translation>
    </message>
</context>
<context>
    <name>InBackground</name>
    <message>
        <source>The picture is done</source>
        <translation>图片已完成</translation>
    </message>
    <message>
        <source>{0} pictures are done</source>
        <translation>{0} 张图片已完成</translation>
    </message>
</context>
<context>
    <name>InlineQuestion</name>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
</context>
<context>
    <name>Inspector</name>
    <message>
        <source>1 added</source>
        <translation>已添加 1 处</translation>
    </message>
    <message>
        <source>1 excluded</source>
        <translation>已排除 1 处</translation>
    </message>
    <message>
        <source>Back to the cut-out that was found</source>
        <translation>恢复自动找到的抠图</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>清除</translation>
    </message>
    <message>
        <source>Clicks</source>
        <translation>点选</translation>
    </message>
    <message>
        <source>Discard changes</source>
        <translation>放弃更改</translation>
    </message>
    <message>
        <source>Edge</source>
        <translation>边缘</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>羽化</translation>
    </message>
    <message>
        <source>Fill the holes</source>
        <translation>填补空洞</translation>
    </message>
    <message>
        <source>Found in the photo</source>
        <translation>照片中找到</translation>
    </message>
    <message>
        <source>Grow or shrink</source>
        <translation>扩张或收缩</translation>
    </message>
    <message>
        <source>Keep all</source>
        <translation>全部保留</translation>
    </message>
    <message>
        <source>Keep both</source>
        <translation>两个都保留</translation>
    </message>
    <message>
        <source>Keep the largest</source>
        <translation>保留最大的</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Open a mask…</source>
        <translation>打开蒙版…</translation>
    </message>
    <message>
        <source>Save on transparency…</source>
        <translation>保存为透明图片…</translation>
    </message>
    <message>
        <source>Save the mask…</source>
        <translation>保存蒙版…</translation>
    </message>
    <message>
        <source>Start over</source>
        <translation>重新开始</translation>
    </message>
    <message numerus="yes">
        <source>The cut-out has %n parts.</source>
        <translation>
            <numerusform>抠图有 %n 个部分。</numerusform>
        </translation>
    </message>
    <message>
        <source>The cut-out has two parts.</source>
        <translation>抠图有两个部分。</translation>
    </message>
    <message>
        <source>Use this cut-out</source>
        <translation>使用此抠图</translation>
    </message>
    <message>
        <source>What the model sees</source>
        <translation>模型所见</translation>
    </message>
    <message>
        <source>none yet</source>
        <translation>还没有</translation>
    </message>
    <message>
        <source>one box</source>
        <translation>一个框</translation>
    </message>
    <message>
        <source>{0} added</source>
        <translation>已添加 {0} 处</translation>
    </message>
    <message>
        <source>{0} excluded</source>
        <translation>已排除 {0} 处</translation>
    </message>
    <message>
        <source>{0} uses it and draws</source>
        <translation>{0} 使用它并开始绘制</translation>
    </message>
</context>
<context>
    <name>KeyEdit</name>
    <message>
        <source>Press a key</source>
        <translation>请按键</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
</context>
<context>
    <name>KeyRow</name>
    <message>
        <source>Also used by {0}</source>
        <translation>也用于“{0}”</translation>
    </message>
    <message>
        <source>Original key</source>
        <translation>默认快捷键</translation>
    </message>
    <message>
        <source>Take it from {0}</source>
        <translation>从“{0}”取过来</translation>
    </message>
    <message>
        <source>also {0}</source>
        <translation>也可按 {0}</translation>
    </message>
</context>
<context>
    <name>KeysPage</name>
    <message>
        <source>Reset all</source>
        <translation>全部重置</translation>
    </message>
</context>
<context>
    <name>Larger</name>
    <message>
        <source>Enlarging, {0}&#xa0;%</source>
        <translation>正在放大，{0}&#xa0;%</translation>
    </message>
    <message>
        <source>Save larger</source>
        <translation>放大保存</translation>
    </message>
    <message>
        <source>Saved to {0}: {1} × {2}, by Lanczos with mild sharpening</source>
        <translation>已保存到 {0}：{1} × {2}，Lanczos 插值加轻度锐化</translation>
    </message>
    <message>
        <source>Saved to {0}: {1} × {2}, by {3}</source>
        <translation>已保存到 {0}：{1} × {2}，由 {3} 放大</translation>
    </message>
    <message>
        <source>The picture is not finished yet</source>
        <translation>图片尚未完成</translation>
    </message>
</context>
<context>
    <name>LargerDialog</name>
    <message>
        <source>By Lanczos with mild sharpening: edges stay smooth, and no detail is invented.</source>
        <translation>用 Lanczos 加轻度锐化：边缘保持平滑，不会编造细节。</translation>
    </message>
    <message>
        <source>By Swin2SR: a network draws fine detail that fits. Without a graphics card it takes minutes.</source>
        <translation>用 Swin2SR：由网络补出相称的细节。没有显卡时需要几分钟。</translation>
    </message>
    <message>
        <source>By which way</source>
        <translation>用哪种方式</translation>
    </message>
    <message>
        <source>Enlarging, {0}&#xa0;%. It goes on when you close this.</source>
        <translation>正在放大，{0}&#xa0;%。关闭此窗口后仍会继续。</translation>
    </message>
    <message>
        <source>Get Swin2SR ({0}, {1})…</source>
        <translation>获取 Swin2SR（{0}，{1}）…</translation>
    </message>
    <message>
        <source>How far the enlarging is</source>
        <translation>放大进度</translation>
    </message>
    <message>
        <source>How many times as large</source>
        <translation>放大多少倍</translation>
    </message>
    <message>
        <source>Lanczos</source>
        <translation>Lanczos</translation>
    </message>
    <message>
        <source>Save larger</source>
        <translation>放大保存</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Swin2SR</source>
        <translation>Swin2SR</translation>
    </message>
    <message>
        <source>Swin2SR, which is not here yet, draws fine detail.</source>
        <translation>尚未安装的 Swin2SR 能补出细节。</translation>
    </message>
</context>
<context>
    <name>LeftColumn</name>
    <message>
        <source>Edit cut-out</source>
        <translation>编辑抠图</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>No cut-out was found</source>
        <translation>没有找到抠图</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>Replace the photo</source>
        <translation>更换照片</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>The cut-out may be wrong</source>
        <translation>抠图可能不对</translation>
    </message>
</context>
<context>
    <name>LicenceSheet</name>
    <message>
        <source>About {0} are fetched; about {1} have to be free until it is ready.</source>
        <translation>约下载 {0}；就绪之前约需 {1} 可用空间。</translation>
    </message>
    <message>
        <source>Accept and download</source>
        <translation>接受并下载</translation>
    </message>
    <message>
        <source>Access token of your account</source>
        <translation>您账户的访问令牌</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>以后再说</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>阅读</translation>
    </message>
    <message>
        <source>Read the licence {0}</source>
        <translation>阅读许可证 {0}</translation>
    </message>
    <message>
        <source>The parts belong to their publishers. Please read what they allow before anything is fetched.</source>
        <translation>各部分归其发布者所有。下载之前，请先阅读他们允许的用途。</translation>
    </message>
    <message>
        <source>This is no access token. Copy it from the settings page of your account, all of it.</source>
        <translation>这不是访问令牌。请从您账户的设置页面完整复制。</translation>
    </message>
    <message>
        <source>This publisher gives its files to accounts only. The token is kept in the system&apos;s keyring, in no file.</source>
        <translation>该发布者只向有账户的人提供文件。令牌保存在系统的密钥环中，不写入任何文件。</translation>
    </message>
    <message>
        <source>Which one</source>
        <translation>选择哪一个</translation>
    </message>
</context>
<context>
    <name>LicenceText</name>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Open the page on the web</source>
        <translation>在网页中打开</translation>
    </message>
    <message>
        <source>Text of the licence {0}</source>
        <translation>许可证 {0} 的全文</translation>
    </message>
</context>
<context>
    <name>ListDialog</name>
    <message>
        <source>1 picture</source>
        <translation>1 张图片</translation>
    </message>
    <message>
        <source>A list of prompts</source>
        <translation>提示词列表</translation>
    </message>
    <message>
        <source>All scenes of this model</source>
        <translation>此模型的所有场景</translation>
    </message>
    <message>
        <source>All {1} pictures are drawn</source>
        <translation>{1} 张图片已全部绘制</translation>
    </message>
    <message>
        <source>As JSON lines of requests, which the command line&apos;s batch draws</source>
        <translation>保存为逐行 JSON 的请求，可由命令行的 batch 绘制</translation>
    </message>
    <message>
        <source>Draw the list</source>
        <translation>绘制列表</translation>
    </message>
    <message>
        <source>Draw the rest</source>
        <translation>绘制其余图片</translation>
    </message>
    <message>
        <source>From {0}.</source>
        <translation>来自 {0}。</translation>
    </message>
    <message>
        <source>Lists</source>
        <translation>列表</translation>
    </message>
    <message>
        <source>One prompt a line. {red|blue} draws the line once with each; {subject} is the subject&apos;s name.</source>
        <translation>每行一条提示词。{red|blue} 会用其中每个词各画一次；{subject} 是主体的名称。</translation>
    </message>
    <message>
        <source>Open a list</source>
        <translation>打开列表</translation>
    </message>
    <message>
        <source>Open a list…</source>
        <translation>打开列表…</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Prompts, one a line</source>
        <translation>提示词，每行一条</translation>
    </message>
    <message>
        <source>Save all pictures…</source>
        <translation>保存所有图片…</translation>
    </message>
    <message>
        <source>Save for batch</source>
        <translation>保存给 batch</translation>
    </message>
    <message>
        <source>Save for batch…</source>
        <translation>保存给 batch…</translation>
    </message>
    <message>
        <source>Save one sheet</source>
        <translation>保存为一张总图</translation>
    </message>
    <message>
        <source>Save one sheet…</source>
        <translation>保存为一张总图…</translation>
    </message>
    <message>
        <source>Save to a folder</source>
        <translation>保存到文件夹</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>The list</source>
        <translation>列表</translation>
    </message>
    <message>
        <source>The list before is still being drawn</source>
        <translation>上一个列表仍在绘制</translation>
    </message>
    <message>
        <source>This model does not know: {0}</source>
        <translation>此模型不认识：{0}</translation>
    </message>
    <message>
        <source>This model takes any words</source>
        <translation>此模型接受任何词语</translation>
    </message>
    <message>
        <source>Write a list instead</source>
        <translation>改为手写列表</translation>
    </message>
    <message>
        <source>a {subject} in the {snow|jungle}</source>
        <translation>a {subject} in the {snow|jungle}</translation>
    </message>
    <message>
        <source>{0} of {1} pictures</source>
        <translation>{0} / {1} 张图片</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} 张图片</translation>
    </message>
    <message>
        <source>{0}, about {1}</source>
        <translation>{0}，约 {1}</translation>
    </message>
    <message>
        <source>{0}, {1} of each prompt</source>
        <translation>{0}，每条提示词 {1} 张</translation>
    </message>
    <message>
        <source>{0}: its requests are drawn as they are.</source>
        <translation>{0}：其中的请求按原样绘制。</translation>
    </message>
</context>
<context>
    <name>Listing</name>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>{0} of {1} pictures of the list are drawn</source>
        <translation>列表的 {1} 张图片已绘制 {0} 张</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>A folder cannot be opened: drop the photos in it</source>
        <translation>无法打开文件夹：请拖入其中的照片</translation>
    </message>
    <message>
        <source>Drop to put {0} photos on the shelf</source>
        <translation>松开即可将 {0} 张照片放上架子</translation>
    </message>
    <message>
        <source>Drop to use this photo</source>
        <translation>松开以使用此照片</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Taken off the shelf</source>
        <translation>已从架上取下</translation>
    </message>
</context>
<context>
    <name>MaskCanvas</name>
    <message>
        <source>Arrow keys move a cross-hair, Enter clicks or paints with it, Shift and Enter says what does not belong.</source>
        <translation>方向键移动十字准线，Enter 用它点选或涂抹，Shift 加 Enter 标出不属于主体的部分。</translation>
    </message>
    <message>
        <source>The cut-out covers {0} percent of the photo</source>
        <translation>抠图占照片的百分之 {0}</translation>
    </message>
    <message>
        <source>box</source>
        <translation>框</translation>
    </message>
    <message>
        <source>brush, {0} pixels</source>
        <translation>画笔，{0} 像素</translation>
    </message>
    <message>
        <source>eraser, {0} pixels</source>
        <translation>橡皮，{0} 像素</translation>
    </message>
    <message>
        <source>in one part.</source>
        <translation>共一个部分。</translation>
    </message>
    <message>
        <source>in {0} parts.</source>
        <translation>共 {0} 个部分。</translation>
    </message>
    <message>
        <source>lasso</source>
        <translation>套索</translation>
    </message>
    <message>
        <source>move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>select</source>
        <translation>选择</translation>
    </message>
</context>
<context>
    <name>MaskEditorView</name>
    <message>
        <source>Cut-out editor</source>
        <translation>抠图编辑器</translation>
    </message>
    <message>
        <source>Open a mask</source>
        <translation>打开蒙版</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Save the mask</source>
        <translation>保存蒙版</translation>
    </message>
</context>
<context>
    <name>MaskSteps</name>
    <message>
        <source>Another candidate</source>
        <translation>另一个候选</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>框</translation>
    </message>
    <message>
        <source>Clear the clicks</source>
        <translation>清除点选</translation>
    </message>
    <message>
        <source>Click</source>
        <translation>单击</translation>
    </message>
    <message>
        <source>Cut out</source>
        <translation>抠图</translation>
    </message>
    <message>
        <source>Edge</source>
        <translation>边缘</translation>
    </message>
    <message>
        <source>Edit cut-out</source>
        <translation>编辑抠图</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>擦除</translation>
    </message>
    <message>
        <source>Fill the holes</source>
        <translation>填补空洞</translation>
    </message>
    <message>
        <source>Find the subject</source>
        <translation>查找主体</translation>
    </message>
    <message>
        <source>Go on with what was marked</source>
        <translation>继续上次的标记</translation>
    </message>
    <message>
        <source>Invert</source>
        <translation>反选</translation>
    </message>
    <message>
        <source>Keep the largest part</source>
        <translation>保留最大的部分</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>套索</translation>
    </message>
    <message>
        <source>Move a click</source>
        <translation>移动点</translation>
    </message>
    <message>
        <source>Open a mask</source>
        <translation>打开蒙版</translation>
    </message>
    <message>
        <source>Paint</source>
        <translation>涂抹</translation>
    </message>
    <message>
        <source>Remove a click</source>
        <translation>移除点</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
</context>
<context>
    <name>MemoryCard</name>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Memory plan for {0}</source>
        <translation>{0} 的内存方案</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>Choose another folder…</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Choose files…</source>
        <translation>选择文件…</translation>
    </message>
    <message>
        <source>Damaged or missing: {0}.</source>
        <translation>损坏或缺失：{0}。</translation>
    </message>
    <message>
        <source>Enter access token…</source>
        <translation>输入访问令牌…</translation>
    </message>
    <message>
        <source>Every file is as it should be.</source>
        <translation>所有文件完好无损。</translation>
    </message>
    <message>
        <source>Fetch it all the same</source>
        <translation>仍然下载</translation>
    </message>
    <message>
        <source>Get</source>
        <translation>获取</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>It can be fetched again.</source>
        <translation>可以重新下载。</translation>
    </message>
    <message>
        <source>It can be imported again from its files.</source>
        <translation>可以从文件重新导入。</translation>
    </message>
    <message>
        <source>More for this model</source>
        <translation>此模型的更多操作</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Paused downloads continue where they stopped.</source>
        <translation>暂停的下载会从停下的地方继续。</translation>
    </message>
    <message>
        <source>Press Get to download these files again.</source>
        <translation>按“获取”重新下载这些文件。</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Remove it and get it again.</source>
        <translation>请移除后重新获取。</translation>
    </message>
    <message>
        <source>Remove the downloaded files…</source>
        <translation>移除已下载的文件…</translation>
    </message>
    <message>
        <source>Remove the files that {0} was made from? {1} become free; drawing does not need them.</source>
        <translation>移除用来生成 {0} 的文件？将释放 {1}；绘图不需要它们。</translation>
    </message>
    <message>
        <source>Remove them…</source>
        <translation>移除…</translation>
    </message>
    <message>
        <source>Remove {0} from this computer? {1} become free.</source>
        <translation>从这台电脑移除 {0}？将释放 {1}。</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>移除…</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Show in the folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop and remove what has arrived</source>
        <translation>停止并移除已下载的内容</translation>
    </message>
    <message>
        <source>The downloaded files, {0}, are not needed any more.</source>
        <translation>下载的文件（{0}）已不再需要。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>校验</translation>
    </message>
    <message>
        <source>{0} to download</source>
        <translation>需下载 {0}</translation>
    </message>
</context>
<context>
    <name>ModelOffer</name>
    <message>
        <source>Get…</source>
        <translation>获取…</translation>
    </message>
    <message>
        <source>It is ready: choose it here, or above the picture at any time.</source>
        <translation>已就绪：可在此选用，也可随时在图片上方选择。</translation>
    </message>
    <message>
        <source>It needs at least {0} of memory, and the graphics card has {1}.</source>
        <translation>它至少需要 {0} 显存，而显卡只有 {1}。</translation>
    </message>
    <message>
        <source>It needs at least {0} of memory, and this computer has {1}.</source>
        <translation>它至少需要 {0} 内存，而这台电脑只有 {1}。</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>模型…</translation>
    </message>
    <message>
        <source>Not now; it stays under Models</source>
        <translation>暂时不用；以后可在“模型”中找到</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Without a graphics card a picture takes minutes.</source>
        <translation>没有显卡时，一张图片需要几分钟。</translation>
    </message>
    <message>
        <source>You can draw meanwhile.</source>
        <translation>在此期间可以继续绘制。</translation>
    </message>
    <message>
        <source>{0} is here and works</source>
        <translation>{0} 已就绪，可以使用</translation>
    </message>
    <message>
        <source>{0} px pictures on this computer, in about {1}. Try everything with it.</source>
        <translation>在这台电脑上绘制 {0} 像素的图片，约需 {1}。所有功能都可以用它来试。</translation>
    </message>
    <message>
        <source>{0} px pictures on this computer. Try everything with it.</source>
        <translation>在这台电脑上绘制 {0} 像素的图片。所有功能都可以用它来试。</translation>
    </message>
    <message>
        <source>{0} px pictures, as in the paper.</source>
        <translation>绘制 {0} 像素的图片，与论文中相同。</translation>
    </message>
    <message>
        <source>{0} to download</source>
        <translation>需下载 {0}</translation>
    </message>
    <message>
        <source>{0}.</source>
        <translation>{0}。</translation>
    </message>
</context>
<context>
    <name>ModelOpener</name>
    <message>
        <source>The chosen model is gone; the small one is used</source>
        <translation>所选模型已不存在，改用小模型</translation>
    </message>
</context>
<context>
    <name>ModelsDialog</name>
    <message>
        <source>Change…</source>
        <translation>更改…</translation>
    </message>
    <message>
        <source>Choose another folder for the models</source>
        <translation>为模型选择另一个文件夹</translation>
    </message>
    <message>
        <source>Choose another folder…</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Folder for the models</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Folder with model files</source>
        <translation>存放模型文件的文件夹</translation>
    </message>
    <message>
        <source>Import from folder…</source>
        <translation>从文件夹导入…</translation>
    </message>
    <message>
        <source>Importing…</source>
        <translation>正在导入…</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Where models come from</source>
        <translation>模型来源</translation>
    </message>
    <message>
        <source>{0} free in the models folder</source>
        <translation>模型文件夹可用空间 {0}</translation>
    </message>
</context>
<context>
    <name>NameDialog</name>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
</context>
<context>
    <name>NameRow</name>
    <message>
        <source>Subject name</source>
        <translation>主体名称</translation>
    </message>
    <message>
        <source>What is it?</source>
        <translation>它是什么？</translation>
    </message>
    <message>
        <source>toy robot, cat, mug …</source>
        <translation>用英文：toy robot、cat、mug…</translation>
    </message>
</context>
<context>
    <name>Nouns</name>
    <message>
        <source>bag</source>
        <translation>包</translation>
    </message>
    <message>
        <source>car</source>
        <translation>汽车</translation>
    </message>
    <message>
        <source>cat</source>
        <translation>猫</translation>
    </message>
    <message>
        <source>dog</source>
        <translation>狗</translation>
    </message>
    <message>
        <source>mug</source>
        <translation>马克杯</translation>
    </message>
    <message>
        <source>plant</source>
        <translation>植物</translation>
    </message>
    <message>
        <source>shoe</source>
        <translation>鞋</translation>
    </message>
    <message>
        <source>toy</source>
        <translation>玩具</translation>
    </message>
</context>
<context>
    <name>OptionBar</name>
    <message>
        <source>Brush hardness</source>
        <translation>画笔硬度</translation>
    </message>
    <message>
        <source>Brush size</source>
        <translation>画笔大小</translation>
    </message>
    <message>
        <source>Hardness</source>
        <translation>硬度</translation>
    </message>
    <message>
        <source>On white</source>
        <translation>白色背景</translation>
    </message>
    <message>
        <source>Outline</source>
        <translation>轮廓</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Tint</source>
        <translation>着色</translation>
    </message>
    <message>
        <source>What the model sees</source>
        <translation>模型所见</translation>
    </message>
</context>
<context>
    <name>Panels</name>
    <message>
        <source>Cutting out of the picture</source>
        <translation>从图片中抠图</translation>
    </message>
    <message>
        <source>Editing the cut-out</source>
        <translation>正在编辑抠图</translation>
    </message>
    <message>
        <source>Marking a region</source>
        <translation>正在标记区域</translation>
    </message>
    <message>
        <source>Putting the subject into a photo</source>
        <translation>将主体放入照片</translation>
    </message>
</context>
<context>
    <name>PhotoRow</name>
    <message>
        <source>Photos of this subject</source>
        <translation>此主体的照片</translation>
    </message>
    <message>
        <source>This model draws the first photo. More of them make its pictures no more alike.</source>
        <translation>此模型画的是第一张照片。更多照片不会让图片更相似。</translation>
    </message>
    <message>
        <source>This model was taught with one photo. Whether more of them help was not measured.</source>
        <translation>此模型是用单张照片训练的。更多照片是否有帮助，尚未测量。</translation>
    </message>
    <message>
        <source>Up to {0} photos of one subject, each with its own cut-out</source>
        <translation>一个主体最多 {0} 张照片，每张都有自己的抠图</translation>
    </message>
</context>
<context>
    <name>PhotoSources</name>
    <message>
        <source>All files</source>
        <translation>所有文件</translation>
    </message>
    <message>
        <source>Open photo</source>
        <translation>打开照片</translation>
    </message>
    <message>
        <source>Pasted picture</source>
        <translation>粘贴的图片</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>The clipboard holds no picture</source>
        <translation>剪贴板里没有图片</translation>
    </message>
</context>
<context>
    <name>PictureCell</name>
    <message>
        <source>not drawn yet</source>
        <translation>尚未绘制</translation>
    </message>
</context>
<context>
    <name>PictureCommands</name>
    <message>
        <source>Where is {0}?</source>
        <translation>{0} 在哪里？</translation>
    </message>
</context>
<context>
    <name>PictureScreen</name>
    <message>
        <source>Picture, full screen</source>
        <translation>图片，全屏</translation>
    </message>
    <message>
        <source>The picture&apos;s file is not where it was.</source>
        <translation>图片文件不在原来的位置。</translation>
    </message>
</context>
<context>
    <name>PlacementBar</name>
    <message>
        <source>Automatic place</source>
        <translation>自动摆放</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Drag it to its new place</source>
        <translation>拖到新位置</translation>
    </message>
    <message>
        <source>Drag it where you like</source>
        <translation>可以拖到任意位置</translation>
    </message>
    <message>
        <source>Every picture has it here</source>
        <translation>每张图片都放在这里</translation>
    </message>
    <message>
        <source>Generate draws it here, same seed</source>
        <translation>按“生成”在此处绘制，种子不变</translation>
    </message>
    <message>
        <source>Generate draws it here, without the photo</source>
        <translation>按“生成”在此处绘制，不含该照片</translation>
    </message>
    <message>
        <source>Mirror</source>
        <translation>镜像</translation>
    </message>
</context>
<context>
    <name>PlacementFrame</name>
    <message>
        <source>Place of the subject</source>
        <translation>主体的位置</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>mirrored</source>
        <translation>已镜像</translation>
    </message>
    <message>
        <source>placed by hand</source>
        <translation>手动摆放</translation>
    </message>
    <message>
        <source>size {0} percent</source>
        <translation>大小 {0}%</translation>
    </message>
    <message>
        <source>turned by {0} degrees</source>
        <translation>旋转 {0} 度</translation>
    </message>
    <message>
        <source>{0} percent from the left, stands at {1} percent</source>
        <translation>距左边 {0}%，底部在 {1}% 处</translation>
    </message>
</context>
<context>
    <name>Presets</name>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Its key is {0}.</source>
        <translation>它的快捷键是 {0}。</translation>
    </message>
    <message>
        <source>No presets yet</source>
        <translation>还没有预设</translation>
    </message>
    <message>
        <source>Open a preset</source>
        <translation>打开预设</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Save a preset</source>
        <translation>保存预设</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>分享</translation>
    </message>
    <message>
        <source>Share a preset</source>
        <translation>分享预设</translation>
    </message>
    <message>
        <source>Strengths, variety, shape, place and what to avoid, as they are now.</source>
        <translation>当前的强度、多样性、形状、位置和要避免的内容。</translation>
    </message>
    <message>
        <source>The preset of this name is replaced.</source>
        <translation>同名预设会被替换。</translation>
    </message>
    <message>
        <source>There is no preset here yet. Save the settings as one with {0}.</source>
        <translation>这里还没有预设。用 {0} 将设置存为预设。</translation>
    </message>
    <message>
        <source>Use “{0}”</source>
        <translation>使用“{0}”</translation>
    </message>
    <message>
        <source>“{0}” is deleted</source>
        <translation>“{0}”已删除</translation>
    </message>
    <message>
        <source>“{0}” is in use</source>
        <translation>“{0}”已启用</translation>
    </message>
    <message>
        <source>“{0}” is saved</source>
        <translation>“{0}”已保存</translation>
    </message>
    <message>
        <source>“{0}” is saved; {1} brings it back</source>
        <translation>“{0}”已保存；按 {1} 可再次使用</translation>
    </message>
</context>
<context>
    <name>Problem</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>PromptEdit</name>
    <message>
        <source>{0} of {1} tokens</source>
        <translation>{0} / {1} 个词元</translation>
    </message>
</context>
<context>
    <name>PromptPanel</name>
    <message>
        <source>1 picture</source>
        <translation>1 张图片</translation>
    </message>
    <message>
        <source>1 picture is not drawn yet</source>
        <translation>有 1 张图片尚未绘制</translation>
    </message>
    <message>
        <source>After Stop you can finish or save it</source>
        <translation>停止后可以继续画完，也可以保存</translation>
    </message>
    <message>
        <source>Four ideas are drawn; choose one to finish it</source>
        <translation>正在绘制四个构思；选一个来完成</translation>
    </message>
    <message>
        <source>Keep the identity</source>
        <translation>保持身份</translation>
    </message>
    <message>
        <source>Keep the subject</source>
        <translation>保持主体</translation>
    </message>
    <message>
        <source>Picture {0} of {1}</source>
        <translation>第 {0} 张，共 {1} 张</translation>
    </message>
    <message>
        <source>Prompts you draw appear here</source>
        <translation>您用过的提示词会出现在这里</translation>
    </message>
    <message>
        <source>The seed is kept</source>
        <translation>种子保持不变</translation>
    </message>
    <message>
        <source>The seed is kept: the same picture again</source>
        <translation>种子保持不变：会得到同一张图片</translation>
    </message>
    <message>
        <source>This model draws one shape: {0}, {1} pixels</source>
        <translation>此模型只绘制一种形状：{0}，{1}</translation>
    </message>
    <message>
        <source>Waiting for the model</source>
        <translation>正在等待模型</translation>
    </message>
    <message>
        <source>new each time</source>
        <translation>每次都换</translation>
    </message>
    <message>
        <source>square</source>
        <translation>正方形</translation>
    </message>
    <message>
        <source>the last one</source>
        <translation>最后一张</translation>
    </message>
    <message>
        <source>{0} and {1}</source>
        <translation>{0} 和 {1}</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} 张图片</translation>
    </message>
    <message>
        <source>{0} pictures are not drawn yet</source>
        <translation>有 {0} 张图片尚未绘制</translation>
    </message>
    <message>
        <source>{0}, {1}</source>
        <translation>{0}，{1}</translation>
    </message>
</context>
<context>
    <name>PromptSheet</name>
    <message>
        <source>A list…</source>
        <translation>列表…</translation>
    </message>
    <message>
        <source>Add one more</source>
        <translation>再加一张</translation>
    </message>
    <message>
        <source>Add {0} more</source>
        <translation>再加 {0} 张</translation>
    </message>
    <message>
        <source>Begin with the first scale again</source>
        <translation>重新从第一个尺度开始</translation>
    </message>
    <message>
        <source>Collapse</source>
        <translation>折叠</translation>
    </message>
    <message>
        <source>Draw many prompts in one press, and see them in a table</source>
        <translation>一次绘制多条提示词，并以表格查看</translation>
    </message>
    <message>
        <source>Draw only the coarse scales of four seeds, choose one</source>
        <translation>只画四个种子的粗略尺度，再选一个</translation>
    </message>
    <message>
        <source>Draw this prompt after the others</source>
        <translation>在其他图片之后绘制此提示词</translation>
    </message>
    <message>
        <source>Earlier prompts</source>
        <translation>较早的提示词</translation>
    </message>
    <message>
        <source>Everything else of the photo stays as it is</source>
        <translation>照片的其余部分保持不变</translation>
    </message>
    <message>
        <source>Follow the prompt</source>
        <translation>遵循提示词</translation>
    </message>
    <message>
        <source>Forget these pictures</source>
        <translation>放弃这些图片</translation>
    </message>
    <message>
        <source>Four ideas</source>
        <translation>四个构思</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Identity is what the subject is, look is its fine detail</source>
        <translation>“身份”指主体是什么，“外观”指它的细节</translation>
    </message>
    <message>
        <source>Into a photo of yours…</source>
        <translation>放进您的照片…</translation>
    </message>
    <message>
        <source>Keep the look</source>
        <translation>保持外观</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Of several pictures; what is clearly less alike is given up early</source>
        <translation>在多张图片中；明显不够像的会提前放弃</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Queue ({0})</source>
        <translation>队列（{0}）</translation>
    </message>
    <message>
        <source>Rare choices</source>
        <translation>少见的选择</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Separate identity and look</source>
        <translation>分开设置身份与外观</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>形状</translation>
    </message>
    <message>
        <source>Shape and count</source>
        <translation>形状与张数</translation>
    </message>
    <message>
        <source>Show the most alike</source>
        <translation>显示最像的一张</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Strengths</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>The picture that was recalled took these scales from an earlier one</source>
        <translation>调回的图片从较早的图片中沿用了这些尺度</translation>
    </message>
    <message>
        <source>Try a scene</source>
        <translation>试试场景</translation>
    </message>
    <message>
        <source>Variety</source>
        <translation>多样性</translation>
    </message>
    <message>
        <source>What to avoid</source>
        <translation>要避免的内容</translation>
    </message>
    <message>
        <source>Where should it be? One sentence is enough.</source>
        <translation>它应该在哪里？用英文写一句就够了。</translation>
    </message>
    <message>
        <source>seed, variety</source>
        <translation>种子、多样性</translation>
    </message>
    <message>
        <source>snow, jungle</source>
        <translation>snow, jungle</translation>
    </message>
    <message>
        <source>variety, details</source>
        <translation>多样性、细节</translation>
    </message>
</context>
<context>
    <name>QAbstractFileIconProvider</name>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
</context>
<context>
    <name>QFileDialog</name>
    <message>
        <source>&amp;Look in:</source>
        <translation>查找范围（&amp;L）：</translation>
    </message>
    <message>
        <source>Files of &amp;type:</source>
        <translation>文件类型（&amp;T）：</translation>
    </message>
</context>
<context>
    <name>QFileSystemModel</name>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
</context>
<context>
    <name>QShortcut</name>
    <message>
        <source>Backspace</source>
        <translation>Backspace</translation>
    </message>
    <message>
        <source>Down</source>
        <translation>↓</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>←</translation>
    </message>
    <message>
        <source>Return</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>→</translation>
    </message>
    <message>
        <source>Up</source>
        <translation>↑</translation>
    </message>
</context>
<context>
    <name>QueueModel</name>
    <message>
        <source>Drawing</source>
        <translation>正在绘制</translation>
    </message>
    <message>
        <source>Failed: {0}</source>
        <translation>失败：{0}</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Seed {0}</source>
        <translation>种子 {0}</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
</context>
<context>
    <name>QueuePanel</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Draw again what failed</source>
        <translation>重新绘制失败的图片</translation>
    </message>
    <message>
        <source>Draw what is paused</source>
        <translation>绘制已暂停的图片</translation>
    </message>
    <message>
        <source>Finish this picture and keep the others for later</source>
        <translation>完成这张图片，其余的留待以后</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Nothing waits. A press of Generate while a picture is drawn puts the next one here.</source>
        <translation>没有等待的图片。绘制时再按“生成”，下一张会排在这里。</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Queue, {0}</source>
        <translation>队列，{0}</translation>
    </message>
    <message>
        <source>Stop this picture</source>
        <translation>停止这张图片</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
</context>
<context>
    <name>Redrawing</name>
    <message>
        <source>Put the subject into a photo</source>
        <translation>把主体放进照片</translation>
    </message>
    <message>
        <source>The subject stands where you put it last time</source>
        <translation>主体仍在您上次放置的位置</translation>
    </message>
    <message>
        <source>What you marked last time is here again</source>
        <translation>上次标记的内容已恢复</translation>
    </message>
</context>
<context>
    <name>RegionEditor</name>
    <message>
        <source>0 draws it wholly anew; more keeps what is there in outline.</source>
        <translation>0 表示完全重画；数值越大，越保留原来的轮廓。</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Drag it to its place and size, or mark where it goes. Everything outside stays as it is.</source>
        <translation>拖到合适的位置和大小，或标出放置的位置。外面的一切保持不变。</translation>
    </message>
    <message>
        <source>Draw it here</source>
        <translation>画在这里</translation>
    </message>
    <message>
        <source>Draw {0} pictures here</source>
        <translation>在这里画 {0} 张</translation>
    </message>
    <message>
        <source>Mark what is to be drawn anew. Everything outside stays as it is.</source>
        <translation>标出要重画的部分。外面的一切保持不变。</translation>
    </message>
    <message>
        <source>Mark where it goes. Everything outside stays as it is.</source>
        <translation>标出放置的位置。外面的一切保持不变。</translation>
    </message>
    <message>
        <source>Mark where the subject goes. Everything outside stays as it is.</source>
        <translation>标出放置主体的位置。外面的一切保持不变。</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Put the subject into this photo</source>
        <translation>把主体放进这张照片</translation>
    </message>
    <message>
        <source>Redraw a region</source>
        <translation>重画一个区域</translation>
    </message>
    <message>
        <source>Redraw it {0} times</source>
        <translation>重画 {0} 次</translation>
    </message>
    <message>
        <source>Redraw this region</source>
        <translation>重画这个区域</translation>
    </message>
    <message>
        <source>Scales kept inside</source>
        <translation>区域内保留的尺度</translation>
    </message>
</context>
<context>
    <name>ResultCanvas</name>
    <message>
        <source>Cut-out</source>
        <translation>抠图</translation>
    </message>
    <message>
        <source>Newer</source>
        <translation>较新</translation>
    </message>
    <message>
        <source>No picture yet</source>
        <translation>还没有图片</translation>
    </message>
    <message>
        <source>Older</source>
        <translation>较旧</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Previous picture</source>
        <translation>上一张图片</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Your photo, cut-out and prompt are safe.</source>
        <translation>您的照片、抠图和提示词都没有丢失。</translation>
    </message>
    <message>
        <source>compared with the cut-out</source>
        <translation>与抠图对比</translation>
    </message>
    <message>
        <source>drawing</source>
        <translation>正在绘制</translation>
    </message>
    <message>
        <source>drawing scale {0} of {1}</source>
        <translation>正在绘制尺度 {0}/{1}</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>stopped before the end</source>
        <translation>提前停止</translation>
    </message>
    <message>
        <source>{0} by {1} pixels</source>
        <translation>{0} × {1} 像素</translation>
    </message>
</context>
<context>
    <name>ResultsGrid</name>
    <message>
        <source>Picture {0} of {1}</source>
        <translation>第 {0} 张，共 {1} 张</translation>
    </message>
    <message>
        <source>starred</source>
        <translation>已加星</translation>
    </message>
</context>
<context>
    <name>ResultsView</name>
    <message>
        <source>Click one to see it large.</source>
        <translation>点击一张以放大查看。</translation>
    </message>
    <message>
        <source>Click one, or walk with the arrow keys and press Enter, to see it large.</source>
        <translation>点击一张，或用方向键移动并按 Enter，以放大查看。</translation>
    </message>
    <message>
        <source>Close without choosing</source>
        <translation>关闭，不选择</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} 张图片</translation>
    </message>
</context>
<context>
    <name>ScaleStrip</name>
    <message>
        <source>Move the handle between the scales first</source>
        <translation>先移动尺度之间的滑柄</translation>
    </message>
    <message>
        <source>Redraw a region</source>
        <translation>重画一个区域</translation>
    </message>
    <message>
        <source>Redraw from here</source>
        <translation>从这里重画</translation>
    </message>
    <message>
        <source>Scale {0} of {1}</source>
        <translation>尺度 {0}/{1}</translation>
    </message>
    <message>
        <source>Scales</source>
        <translation>尺度</translation>
    </message>
</context>
<context>
    <name>SceneChips</name>
    <message>
        <source>All {0}</source>
        <translation>全部 {0} 个</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>Fewer</source>
        <translation>收起</translation>
    </message>
    <message>
        <source>In front of</source>
        <translation>前面有</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>光线</translation>
    </message>
    <message>
        <source>Materials</source>
        <translation>材质</translation>
    </message>
    <message>
        <source>On top of</source>
        <translation>放在上面</translation>
    </message>
    <message>
        <source>Outfits</source>
        <translation>服装</translation>
    </message>
    <message>
        <source>Places</source>
        <translation>地点</translation>
    </message>
    <message>
        <source>Show all scenes</source>
        <translation>显示全部场景</translation>
    </message>
    <message>
        <source>Show fewer scenes</source>
        <translation>显示较少场景</translation>
    </message>
</context>
<context>
    <name>Scenes</name>
    <message>
        <source>Autumn tree</source>
        <translation>秋树</translation>
    </message>
    <message>
        <source>Beach</source>
        <translation>海滩</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>黑色</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝色</translation>
    </message>
    <message>
        <source>Blue house</source>
        <translation>蓝房子</translation>
    </message>
    <message>
        <source>Chef</source>
        <translation>厨师</translation>
    </message>
    <message>
        <source>City</source>
        <translation>城市</translation>
    </message>
    <message>
        <source>Cobblestones</source>
        <translation>鹅卵石街</translation>
    </message>
    <message>
        <source>Crowded street</source>
        <translation>热闹街道</translation>
    </message>
    <message>
        <source>Cube shaped</source>
        <translation>方块形</translation>
    </message>
    <message>
        <source>Dirt road</source>
        <translation>土路</translation>
    </message>
    <message>
        <source>Eiffel Tower</source>
        <translation>埃菲尔铁塔</translation>
    </message>
    <message>
        <source>Firefighter</source>
        <translation>消防员</translation>
    </message>
    <message>
        <source>Fog</source>
        <translation>雾</translation>
    </message>
    <message>
        <source>Golden</source>
        <translation>金色</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿色</translation>
    </message>
    <message>
        <source>Jungle</source>
        <translation>丛林</translation>
    </message>
    <message>
        <source>Mirror</source>
        <translation>镜面</translation>
    </message>
    <message>
        <source>Mountain</source>
        <translation>山</translation>
    </message>
    <message>
        <source>Night</source>
        <translation>夜晚</translation>
    </message>
    <message>
        <source>Ocean of milk</source>
        <translation>牛奶海</translation>
    </message>
    <message>
        <source>On water</source>
        <translation>水面</translation>
    </message>
    <message>
        <source>Pink fabric</source>
        <translation>粉色布料</translation>
    </message>
    <message>
        <source>Pink glasses</source>
        <translation>粉色眼镜</translation>
    </message>
    <message>
        <source>Police</source>
        <translation>警察</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>紫色</translation>
    </message>
    <message>
        <source>Purple rug, forest</source>
        <translation>林中紫毯</translation>
    </message>
    <message>
        <source>Purple wizard</source>
        <translation>紫袍巫师</translation>
    </message>
    <message>
        <source>Rainbow scarf</source>
        <translation>彩虹围巾</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红色</translation>
    </message>
    <message>
        <source>Red hat</source>
        <translation>红帽子</translation>
    </message>
    <message>
        <source>Santa hat</source>
        <translation>圣诞帽</translation>
    </message>
    <message>
        <source>Shiny</source>
        <translation>闪亮</translation>
    </message>
    <message>
        <source>Silver</source>
        <translation>银色</translation>
    </message>
    <message>
        <source>Snow</source>
        <translation>雪地</translation>
    </message>
    <message>
        <source>Sunflowers</source>
        <translation>向日葵</translation>
    </message>
    <message>
        <source>Sunset</source>
        <translation>日落</translation>
    </message>
    <message>
        <source>Top hat, monocle</source>
        <translation>礼帽与单片眼镜</translation>
    </message>
    <message>
        <source>Wet</source>
        <translation>湿漉</translation>
    </message>
    <message>
        <source>Wheat field</source>
        <translation>麦田</translation>
    </message>
    <message>
        <source>White</source>
        <translation>白色</translation>
    </message>
    <message>
        <source>White rug</source>
        <translation>白地毯</translation>
    </message>
    <message>
        <source>Wooden floor</source>
        <translation>木地板</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>黄色</translation>
    </message>
    <message>
        <source>Yellow shirt</source>
        <translation>黄衬衫</translation>
    </message>
</context>
<context>
    <name>ScrollArrows</name>
    <message>
        <source>Newer pictures</source>
        <translation>较新的图片</translation>
    </message>
    <message>
        <source>Older pictures</source>
        <translation>较旧的图片</translation>
    </message>
</context>
<context>
    <name>SeedField</name>
    <message>
        <source>Keep this seed</source>
        <translation>保留此种子</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>新种子</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>This seed is kept</source>
        <translation>此种子已保留</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Apple graphics</source>
        <translation>Apple 图形</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Automatic: the fastest that fits</source>
        <translation>自动：放得下的最快方案</translation>
    </message>
    <message>
        <source>Balanced: parts leave after use</source>
        <translation>均衡：用完的部分移出</translation>
    </message>
    <message>
        <source>Choose another folder…</source>
        <translation>选择其他文件夹…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Compact: numbers in eight bits</source>
        <translation>紧凑：以八位保存数值</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Every picture is saved there as a PNG that carries everything that made it.</source>
        <translation>每张图片都以 PNG 保存在那里，并带有生成它的全部信息。</translation>
    </message>
    <message>
        <source>Everything stays on the graphics card</source>
        <translation>全部留在显卡上</translation>
    </message>
    <message>
        <source>Fit centres the subject so that nothing is cut off. Original framing keeps the box as it is in the photo and may cut a subject near the edge.</source>
        <translation>“适合主体”会把主体居中，什么都不会被裁掉。“原始取景”保留照片中的方框，靠近边缘的主体可能被裁掉。</translation>
    </message>
    <message>
        <source>Fit the subject</source>
        <translation>适合主体</translation>
    </message>
    <message>
        <source>Folder of finished pictures</source>
        <translation>成品图片文件夹</translation>
    </message>
    <message>
        <source>Framing</source>
        <translation>取景</translation>
    </message>
    <message>
        <source>Framing of the cut-out</source>
        <translation>抠图的取景</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>完整</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Low memory: one branch after the other</source>
        <translation>低内存：逐个分支绘制</translation>
    </message>
    <message>
        <source>Match system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Memory plan</source>
        <translation>内存方案</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>动画</translation>
    </message>
    <message>
        <source>NVIDIA or AMD graphics card</source>
        <translation>NVIDIA 或 AMD 显卡</translation>
    </message>
    <message>
        <source>Original framing</source>
        <translation>原始取景</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>Reduced</source>
        <translation>减少</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Show the picture while it forms</source>
        <translation>图片成形时显示预览</translation>
    </message>
    <message>
        <source>Streamed: weights come as they are needed</source>
        <translation>流式：按需载入权重</translation>
    </message>
    <message>
        <source>Tell me when a picture is done and this window is not in front</source>
        <translation>图片完成而此窗口不在前台时通知我</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>文字大小</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>更新</translation>
    </message>
</context>
<context>
    <name>ShapeCombo</name>
    <message>
        <source>This model draws one size only</source>
        <translation>此模型只有一种尺寸</translation>
    </message>
</context>
<context>
    <name>Shelf</name>
    <message>
        <source>Subject {0}</source>
        <translation>主体 {0}</translation>
    </message>
    <message>
        <source>{0} (Delete takes it off the shelf)</source>
        <translation>{0}（按 Delete 从架上取下）</translation>
    </message>
    <message>
        <source>{0}, {1} photos</source>
        <translation>{0}，{1} 张照片</translation>
    </message>
</context>
<context>
    <name>ShelfThumb</name>
    <message>
        <source>Use this subject</source>
        <translation>使用此主体</translation>
    </message>
</context>
<context>
    <name>SideBySide</name>
    <message>
        <source>Choose two or more pictures in the history first</source>
        <translation>请先在历史记录中选择两张或更多图片</translation>
    </message>
    <message>
        <source>The picture is shown when the drawing is done</source>
        <translation>绘制完成后显示该图片</translation>
    </message>
</context>
<context>
    <name>Sources</name>
    <message>
        <source>Access token</source>
        <translation>访问令牌</translation>
    </message>
    <message>
        <source>Address to download from</source>
        <translation>下载地址</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>忘记</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>No token is kept.</source>
        <translation>没有保存令牌。</translation>
    </message>
    <message>
        <source>Only needed where a publisher asks for an account</source>
        <translation>仅在发布者要求账户时需要</translation>
    </message>
    <message>
        <source>Original address</source>
        <translation>原始地址</translation>
    </message>
    <message>
        <source>The token is in the system&apos;s keyring.</source>
        <translation>令牌已存入系统密钥环。</translation>
    </message>
    <message>
        <source>The token is kept in the system&apos;s keyring, in no file and no log.</source>
        <translation>令牌保存在系统密钥环中，不写入任何文件或日志。</translation>
    </message>
    <message>
        <source>This is no access token. Copy it from the settings page of your account, all of it.</source>
        <translation>这不是访问令牌。请从您账户的设置页面完整复制。</translation>
    </message>
    <message>
        <source>This system has no keyring: the token is kept until the program ends.</source>
        <translation>此系统没有密钥环：令牌保留到程序结束。</translation>
    </message>
</context>
<context>
    <name>SubjectPanel</name>
    <message>
        <source>Choose a photo…</source>
        <translation>选择照片…</translation>
    </message>
    <message>
        <source>Drop your own photo here</source>
        <translation>把您自己的照片拖到这里</translation>
    </message>
    <message>
        <source>Example</source>
        <translation>示例</translation>
    </message>
    <message>
        <source>Finding the subject…</source>
        <translation>正在查找主体…</translation>
    </message>
    <message>
        <source>On the shelf</source>
        <translation>架上的主体</translation>
    </message>
    <message>
        <source>Opening the photo…</source>
        <translation>正在打开照片…</translation>
    </message>
    <message>
        <source>Or try an example</source>
        <translation>或者试试示例</translation>
    </message>
    <message>
        <source>Or try another example</source>
        <translation>或者试试其他示例</translation>
    </message>
    <message>
        <source>Photos and pictures stay on this computer.</source>
        <translation>照片和图片都留在这台电脑上。</translation>
    </message>
    <message>
        <source>Replace…</source>
        <translation>更换…</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>pet, shoe, toy, mug – one per photo</source>
        <translation>宠物、鞋子、玩具、杯子：每张照片一个</translation>
    </message>
</context>
<context>
    <name>SystemNotices</name>
    <message>
        <source>Show the window</source>
        <translation>显示窗口</translation>
    </message>
</context>
<context>
    <name>Tiles</name>
    <message>
        <source>Keep scale 1</source>
        <translation>保留尺度 1</translation>
    </message>
    <message>
        <source>Keep scales 1 to {0}</source>
        <translation>保留尺度 1 到 {0}</translation>
    </message>
    <message>
        <source>Scales</source>
        <translation>尺度</translation>
    </message>
</context>
<context>
    <name>Toast</name>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
<context>
    <name>ToolRow</name>
    <message>
        <source>Edit cut-out</source>
        <translation>编辑抠图</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>More models…</source>
        <translation>更多模型…</translation>
    </message>
    <message>
        <source>Status: {0}</source>
        <translation>状态：{0}</translation>
    </message>
</context>
<context>
    <name>UpdatesPage</name>
    <message>
        <source>EchoGen {0} did not open on this computer before.</source>
        <translation>EchoGen {0} 之前在这台电脑上无法打开。</translation>
    </message>
    <message>
        <source>EchoGen {0} is here, and opens at the next start.</source>
        <translation>EchoGen {0} 已就绪，下次启动时打开。</translation>
    </message>
    <message>
        <source>EchoGen {0} is there.</source>
        <translation>EchoGen {0} 已发布。</translation>
    </message>
    <message>
        <source>Get it where you got this one.</source>
        <translation>请到获取当前版本的地方获取。</translation>
    </message>
    <message>
        <source>Get {0} ({1})</source>
        <translation>获取 {0}（{1}）</translation>
    </message>
    <message>
        <source>Getting it: {0}</source>
        <translation>正在获取：{0}</translation>
    </message>
    <message>
        <source>Look for a newer version at every start</source>
        <translation>每次启动时查找新版本</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>立即查找</translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation>正在查找…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>This copy does not know where newer versions are. Look where you got it.</source>
        <translation>这份程序不知道新版本在哪里。请到获取它的地方查看。</translation>
    </message>
    <message>
        <source>This is EchoGen {0}</source>
        <translation>当前版本：EchoGen {0}</translation>
    </message>
    <message>
        <source>This is the newest version.</source>
        <translation>已是最新版本。</translation>
    </message>
    <message>
        <source>{0} is asked, and nothing about you or your pictures is sent.</source>
        <translation>只会询问 {0}，不会发送任何关于您或图片的信息。</translation>
    </message>
</context>
<context>
    <name>_PhotoThumb</name>
    <message>
        <source>Edit its cut-out</source>
        <translation>编辑它的抠图</translation>
    </message>
    <message>
        <source>Make this the first</source>
        <translation>设为第一张</translation>
    </message>
    <message>
        <source>Photo {0}</source>
        <translation>照片 {0}</translation>
    </message>
    <message>
        <source>Show this photo</source>
        <translation>显示这张照片</translation>
    </message>
    <message>
        <source>Take this photo out</source>
        <translation>取出这张照片</translation>
    </message>
    <message>
        <source>{0} (Delete takes it out)</source>
        <translation>{0}（按 Delete 取出）</translation>
    </message>
    <message>
        <source>{0} – its cut-out cannot be used</source>
        <translation>{0} – 抠图无法使用</translation>
    </message>
</context>
</TS>
